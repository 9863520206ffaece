/** The event streams of one session: opened and replaced so that together they have the rooms that the client wants. */
import { CLOSE_UNAUTHORIZED, type Frame, HubbubError, type Payload, STREAM_MAX_ROOMS } from '@hubbub/protocol';
import { defined } from './defined.js';
import { ABNORMAL, type Closing, refusalError } from './errors.js';
import { type Place, RoomStream } from './room-stream.js';

export interface RoomStreamsPorts {
  /** The address of a stream of these rooms. */
  url(rooms: ReadonlyMap<string, Place>): string;
  headers(token?: string): Record<string, string>;
  /** The session exists. */
  welcomed(welcome: Frame): void;
  deliver(frame: Frame): void;
  /** A frame as it came; `place` is that of its room. */
  received(frame: Frame, data: string, place: Place | undefined): void;
  ended(closing: Closing): void;
}

/** Changes that are applied together. */
export interface Change {
  readonly joined: ReadonlyMap<string, Omit<Place, 'isNew'>>;
  readonly left: ReadonlySet<string>;
  /** A new token, for all streams. */
  readonly token?: string | undefined;
}

/** By room: the payload of its `room_opened`, or why it was not joined. */
export type JoinAnswers = Map<string, Payload | HubbubError>;

/** Browsers open six connections to a host without HTTP/2: one stays free to publish. */
const MAX_STREAMS = 5;
const MAX_ROOMS = MAX_STREAMS * STREAM_MAX_ROOMS;

export class RoomStreams {
  readonly #ports: RoomStreamsPorts;
  /** Frames outside of rooms come with each of them: those of the first one count. */
  readonly #streams: RoomStream[] = [];
  #next: RoomStream | undefined;
  /** The stream whose place `#next` takes when it has its session. */
  #before: RoomStream | undefined;
  /** Messages without a position that `#before` had meanwhile: `#next` may have them, too. */
  #overlap = new Set<string>();
  /** Of the first stream. */
  #welcome: Frame | undefined;
  #isGreeted = false;

  constructor(ports: RoomStreamsPorts) {
    this.#ports = ports;
  }

  /** The payload of the `welcome`. */
  get session(): Payload {
    return this.#welcome?.payload ?? {};
  }

  place(room: string): Place | undefined {
    return this.#streams.find(({ rooms }) => rooms.has(room))?.rooms.get(room);
  }

  /** Opens the first stream, with the room of the path. */
  async begin(rooms: Map<string, Place>): Promise<void> {
    const closing = await this.#open(0, rooms);
    if (closing) this.#ports.ended(closing);
  }

  /** Resolves when every room that joins is whole. */
  async joined(): Promise<void> {
    for (const { joined } of this.#streams) await joined;
  }

  /** A change that the edge refuses leaves the streams as they are; then the error is returned. */
  async change({ joined, left, token }: Change): Promise<{ answers: JoinAnswers; error?: HubbubError | undefined }> {
    const answers: JoinAnswers = new Map();
    const wanted = this.#streams.map(({ rooms }) => new Map([...rooms].map(([room, place]) => [room, kept(place)])));
    const changed = new Set(token === undefined ? [] : wanted.keys());
    for (const [index, rooms] of wanted.entries()) for (const room of left) if (rooms.delete(room)) changed.add(index);
    for (const [room, place] of joined) {
      let index = wanted.findIndex(rooms => rooms.has(room));
      if (index < 0) index = wanted.findIndex(({ size }) => size < STREAM_MAX_ROOMS);
      if (index < 0 && wanted.length < MAX_STREAMS) index = wanted.push(new Map()) - 1;
      wanted[index]?.set(room, { ...place, isNew: true });
      if (index >= 0) changed.add(index);
      else answers.set(room, new HubbubError('ROOM_LIMIT', `Without a WebSocket ${MAX_ROOMS} rooms are possible.`));
    }
    let error: HubbubError | undefined;
    for (const index of changed) {
      error = (await this.#replace(index, wanted[index] ?? new Map(), answers, token)) ?? error;
    }
    return { answers, error };
  }

  close(): void {
    for (const stream of [...this.#streams, this.#next]) stream?.close();
  }

  /** Leaves out the rooms that the edge refuses, and returns a refusal of the whole request. */
  async #replace(
    index: number,
    rooms: Map<string, Place>,
    answers: JoinAnswers,
    token: string | undefined,
  ): Promise<HubbubError | undefined> {
    const before = this.#streams[index];
    for (;;) {
      if (index > 0 && rooms.size === 0) {
        before?.close();
        before?.rooms.clear();
        return undefined;
      }
      const closing = await this.#open(index, new Map(rooms), token);
      if (!closing) break;
      const error = refusalError(closing);
      const room = String(error.details?.room);
      const place = rooms.get(room);
      const isExpired = error.code === 'UNAUTHORIZED' && token === undefined;
      if (isExpired || (place?.token !== undefined && !place.isNew)) {
        // Only a new session asks the application for its tokens.
        this.#ports.ended({ code: isExpired ? CLOSE_UNAUTHORIZED : ABNORMAL, reason: error.message });
        return error;
      }
      for (const [name, { isNew }] of rooms) if (isNew && (!place || name === room)) answers.set(name, error);
      if (!place) return error;
      if (!place.isNew) this.#ports.deliver(roomClosed(room, { removed: true }));
      rooms.delete(room);
      if (before && token === undefined && isSame(rooms, before.rooms)) return undefined;
    }
    const stream = this.#streams[index];
    await stream?.joined;
    for (const [room, { isNew }] of rooms) {
      const opened = stream?.rooms.get(room)?.opened;
      if (isNew) answers.set(room, opened ?? new HubbubError('NOT_IN_ROOM', `Room ${room} was closed.`));
    }
    return undefined;
  }

  #open(index: number, rooms: Map<string, Place>, token?: string): Promise<Closing | undefined> {
    this.#overlap.clear();
    this.#before = this.#streams[index];
    this.#next = new RoomStream(rooms, {
      url: this.#ports.url(rooms),
      headers: this.#ports.headers(token),
      welcomed: (frame, stream) => this.#welcomed(index, frame, stream),
      roomOpened: (room, place) => this.#roomOpened(room, place),
      received: (frame, data, stream) => this.#received(frame, data, stream),
      ended: closing => this.#ports.ended(closing),
    });
    return this.#next.opened;
  }

  #welcomed(index: number, welcome: Frame, stream: RoomStream): Closing | undefined {
    const { payload = {} } = welcome;
    const isFirst = !this.#welcome;
    // A path of the operator's: the addresses of other rooms do not follow from it.
    if ((payload.rooms as unknown[]).length > stream.rooms.size) return refused('NOT_FOUND', 'no address of events');
    if (!isFirst && userOf(payload) !== userOf(this.session)) return refused('FORBIDDEN', 'a token of another user');
    const before = this.#streams[index];
    this.#streams[index] = stream;
    before?.close();
    for (const room of before?.added ?? []) this.#ports.deliver(roomClosed(room));
    if (index > 0) return undefined;
    this.#welcome = welcome;
    if (stream.rooms.size === 0 || !isFirst) this.#greet();
    // Frames in between, for the user and for all, may be in neither stream.
    if (!isFirst) this.#ports.deliver({ type: 'session_gap', timestamp: welcome.timestamp ?? '' });
    return undefined;
  }

  /** With the position in the room of the path, which a socket's `welcome` has. */
  #greet(position?: Payload): void {
    this.#isGreeted = true;
    const { payload } = this.#welcome as Frame;
    this.#ports.welcomed({ type: 'welcome', payload: { ...payload, ...(position && { position }) } });
  }

  /** Reports that messages are missing in a room that was taken over; that of a new room is in its answer. */
  #roomOpened(room: string, { isNew, opened = {} }: Place): void {
    if (!this.#isGreeted) this.#greet(opened);
    const { epoch, offset, recovered, reason = 'no_history', replayed_from: from } = opened;
    if (isNew || recovered === true) return;
    const last = typeof from === 'number' ? from - 1 : offset;
    this.#ports.deliver({ type: 'room_gap', room, payload: defined({ room_id: room, reason, epoch, offset: last }) });
  }

  #received(frame: Frame, data: string, stream: RoomStream): void {
    const { room, type, id, offset, sender } = frame;
    if (room === undefined && stream !== this.#streams[0]) return;
    if (id !== undefined && offset === undefined) {
      const key = JSON.stringify([room, type, id, sender?.id]);
      if (stream === this.#before) this.#overlap.add(key);
      else if (this.#overlap.has(key)) return;
    }
    this.#ports.received(frame, data, stream.rooms.get(room ?? ''));
  }
}

/** The room in the next stream: it continues where this one is. */
function kept({ at, token }: Place): Place {
  return { at, token, isNew: false };
}

function isSame(rooms: ReadonlyMap<string, Place>, others: ReadonlyMap<string, Place>): boolean {
  return rooms.size === others.size && [...rooms].every(([room, { isNew }]) => !isNew && others.has(room));
}

function userOf({ user }: Payload): unknown {
  return (user as { id?: unknown } | undefined)?.id;
}

function roomClosed(room: string, more?: object): Frame {
  return { type: 'room_closed', room, payload: { room_id: room, ...more } };
}

function refused(code: 'NOT_FOUND' | 'FORBIDDEN', message: string): Closing {
  return { code: ABNORMAL, reason: message, refusal: { code, message } };
}
