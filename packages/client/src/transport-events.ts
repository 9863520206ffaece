/**
 * The transport of server-sent events (PROTOCOL.md section 10), for networks without WebSockets. Its frames are those of a socket:
 * joins and leaves open a stream with the positions of all rooms, and a message is a POST. So no other part of the SDK knows
 * which transport it has.
 */
import {
  CLOSE_UNAUTHORIZED,
  type Codec,
  type Frame,
  HubbubError,
  isPlainObject,
  type Payload,
  type Position,
  writeStreamPosition,
} from '@hubbub/protocol';
import { defined } from './defined.js';
import type { Closing } from './errors.js';
import type { EventAddress } from './event-address.js';
import { withQuery } from './options.js';
import { Publisher } from './publisher.js';
import type { Place } from './room-stream.js';
import { type JoinAnswers, RoomStreams } from './room-streams.js';
import type { Transport, TransportListener, TransportRequest } from './transport.js';
import { readFrame, type Wire, type WireCodec } from './wire.js';

const BEARER = 'bearer.';
/** Frames that change the streams, or whose answer follows what was missed. */
const QUEUED: readonly string[] = ['join_room', 'leave_room', 'resume', 'refresh', 'ping'];

/** A room as `join_room`, `leave_room` and `resume` name it. */
type NamedRoom = { readonly room_id: string; readonly token?: string } & Partial<Position>;

export class EventTransport implements Transport {
  readonly kind = 'events';
  readonly #codec: WireCodec;
  readonly #listener: TransportListener;
  /** The address without path and query, and the query that the application has in it. */
  readonly #base: string;
  readonly #query: string;
  readonly #streams: RoomStreams;
  readonly #publisher: Publisher;
  #request: TransportRequest;
  #queue: Frame[] = [];
  #isBusy = false;
  #isOver = false;

  constructor(request: TransportRequest, address: EventAddress, listener: TransportListener, codec: WireCodec) {
    this.#request = request;
    this.#listener = listener;
    this.#codec = codec;
    const query = new URLSearchParams(address.query);
    const take = (name: string): string | undefined => {
      const value = query.get(name) ?? undefined;
      query.delete(name);
      return value;
    };
    const at = positionText({ epoch: take('epoch'), offset: Number(take('offset')) });
    const place = { at, token: take('room_token'), isNew: true };
    this.#base = address.base;
    this.#query = query.toString();
    this.#publisher = new Publisher({
      url: name => this.#url(`/rooms/${name}/messages`, roomToken(this.#streams.place(name)?.token)),
      headers: () => this.#headers(),
      answer: frame => this.deliver(frame),
      unauthorized: () => this.#end({ code: CLOSE_UNAUTHORIZED, reason: 'the token is no longer valid' }),
      isOver: () => this.#isOver,
    });
    this.#streams = new RoomStreams({
      url: rooms => this.#url('/events', 'presence=true', ...roomParameters(rooms)),
      headers: token => this.#headers(token),
      welcomed: welcome => {
        this.#listener.opened();
        this.deliver(welcome);
      },
      deliver: frame => this.deliver(frame),
      received: (frame, data, joined) => this.#received(frame, data, joined),
      ended: closing => this.#end(closing),
    });
    void this.#streams.begin(new Map(address.room === undefined ? [] : [[address.room, place]]));
  }

  /** With the current token. */
  get request(): TransportRequest {
    return this.#request;
  }

  send(wire: Wire): void {
    const frame = readFrame(this.#codec, wire);
    const { type, id } = frame;
    if (type === 'send_message') this.#publisher.publish(frame);
    // Each stream watches its own heartbeats.
    else if (type === 'ping' && id === undefined) this.deliver({ type: 'pong' });
    else if (QUEUED.includes(type)) {
      this.#queue.push(frame);
      if (!this.#isBusy) setTimeout(() => void this.#work());
      this.#isBusy = true;
    } else if (id !== undefined) {
      const message = `${type} needs a WebSocket; this connection uses server-sent events.`;
      this.deliver(errorFrame(frame, new HubbubError('UPGRADE_REQUIRED', message)));
    }
  }

  close(): void {
    this.#isOver = true;
    this.#streams.close();
  }

  /** Gives the SDK a frame, as if an edge had sent it. */
  deliver(frame: Frame): void {
    const codec = this.#codec;
    if (this.#isOver) return;
    this.#listener.received(codec.encoding === 'json' ? JSON.stringify(frame) : (codec as Codec).encode(frame));
  }

  #end(closing: Closing): void {
    if (this.#isOver) return;
    this.close();
    this.#listener.closed(closing);
  }

  #received(frame: Frame, data: string, place: Place | undefined): void {
    const { type, id, sender } = frame;
    const { user } = this.#streams.session as { user?: { id?: string } };
    // A socket would not get it: its answer is the `ack`.
    const isOwn = type === 'new_message' && sender?.id === user?.id && this.#publisher.isOwn(id);
    if (isOwn && place?.opened?.echo !== true) return;
    if (this.#codec.encoding !== 'json') this.deliver(JSON.parse(data, reviveBytes));
    else if (!this.#isOver) this.#listener.received(data);
  }

  /** Executes the frames of one turn together, so that they cost one request. */
  async #work(): Promise<void> {
    while (this.#queue.length > 0 && !this.#isOver) await this.#execute(this.#queue.splice(0));
    this.#isBusy = false;
  }

  async #execute(frames: readonly Frame[]): Promise<void> {
    const joined = new Map<string, Omit<Place, 'isNew'>>();
    const left = new Set<string>();
    let token: string | undefined;
    for (const frame of frames) {
      if (frame.type === 'refresh') token = frame.payload?.token as string;
      for (const { room_id: room, token: ofRoom, ...position } of roomsOf(frame)) {
        joined.delete(room);
        if (frame.type === 'leave_room') left.add(room);
        else joined.set(room, { at: positionText(position), token: ofRoom });
      }
    }
    const { answers, error } = await this.#streams.change({ joined, left, token });
    await this.#streams.joined();
    if (token !== undefined && !error) {
      const [subprotocol = ''] = this.#request.protocols;
      this.#request = { ...this.#request, protocols: [subprotocol, BEARER + token] };
    }
    for (const frame of frames) {
      if (frame.type === 'ping') void this.#ping(frame);
      else this.deliver(this.#answer(frame, answers, error));
    }
  }

  #answer(frame: Frame, answers: JoinAnswers, error: HubbubError | undefined): Frame {
    const { type } = frame;
    const [first] = roomsOf(frame);
    if (type === 'resume') {
      const rooms = roomsOf(frame).map(({ room_id }) => {
        const answer = answers.get(room_id);
        return answer instanceof HubbubError ? { room_id, error: errorPayload(answer) } : { room_id, ...answer };
      });
      return ackFrame(frame, { rooms });
    }
    const { expires_at, expires_in_ms } = this.#streams.session;
    const answer =
      type === 'join_room'
        ? (answers.get(first?.room_id ?? '') ?? new HubbubError('NOT_IN_ROOM', 'The room was left.'))
        : (error ?? (type === 'refresh' ? defined({ expires_at, expires_in_ms }) : {}));
    return answer instanceof HubbubError ? errorFrame(frame, answer) : ackFrame(frame, answer as Payload);
  }

  /** A round trip: any answer will do. */
  async #ping(frame: Frame): Promise<void> {
    const problem = await fetch(this.#url('/ws/online')).catch(cause => new HubbubError('UNAVAILABLE', String(cause)));
    if (problem instanceof HubbubError) this.deliver(errorFrame(frame, problem));
    else this.deliver(defined({ type: 'pong', id: frame.id }));
  }

  #headers(token = this.#token): Record<string, string> {
    return token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  get #token(): string | undefined {
    return this.#request.protocols.find(offer => offer.startsWith(BEARER))?.slice(BEARER.length);
  }

  #url(path: string, ...parameters: readonly string[]): string {
    return withQuery(this.#base + path, [this.#query, ...parameters].filter(Boolean).join('&'));
  }
}

function roomParameters(rooms: ReadonlyMap<string, Place>): string[] {
  const named = [...rooms].flatMap(([room, { token }]) => [`room=${encodeURIComponent(room)}`, roomToken(token)]);
  const id = [...rooms.values()].map(({ at }) => at).join();
  return /[^,]/.test(id) ? [...named, `last_event_id=${encodeURIComponent(id)}`] : named;
}

function roomToken(token: string | undefined): string {
  return token === undefined ? '' : `room_token=${encodeURIComponent(token)}`;
}

/** The rooms that a frame names; one without rooms names none. */
function roomsOf({ type, payload = {} }: Frame): readonly NamedRoom[] {
  if (type === 'resume') return payload.rooms as NamedRoom[];
  return type === 'join_room' || type === 'leave_room' ? [payload as NamedRoom] : [];
}

/** As ids have it; empty without a position. */
function positionText({ epoch, offset }: { epoch?: string | undefined; offset?: number | undefined }): string {
  return epoch === undefined || offset === undefined ? '' : writeStreamPosition({ epoch, offset });
}

function ackFrame({ id, room }: Frame, payload: Payload): Frame {
  return defined({ type: 'ack', id, room, payload }) as Frame;
}

function errorFrame({ id, room }: Frame, error: HubbubError): Frame {
  return defined({ type: 'error', id, room, payload: errorPayload(error) }) as Frame;
}

function errorPayload({ code, message, retryAfterMs, details }: HubbubError): Payload {
  return defined({ code, message, retry_after_ms: retryAfterMs, details });
}

/** MessagePack clients have bytes where JSON has `{ "$base64": … }` (PROTOCOL.md section 2.3). */
function reviveBytes(_: string, value: unknown): unknown {
  if (!isPlainObject(value) || typeof value.$base64 !== 'string') return value;
  try {
    return Uint8Array.from(atob(value.$base64), character => character.charCodeAt(0));
  } catch {
    return value; // Somebody's object that only looks like it.
  }
}
