/** A room as an application sees it: join, talk, listen. */
import type { AnyEvents, Frame, Payload, PayloadOf, RoomInfo } from '@hubbub/protocol';
import { type CallOptions, limitCall } from './calls.js';
import { defined } from './defined.js';
import { DISPOSE, type Subscription } from './emitter.js';
import { unavailable } from './errors.js';
import type { EventArguments, FrameOf, FrameTypeName, MessagePayload, RoomFrame, SentName } from './event-types.js';
import { type HistoryPage, type HistoryQuery, readHistoryPage } from './history.js';
import type { RoomChange, RoomState } from './membership.js';
import { checkEventName } from './names.js';
import type { Gap, Recovered } from './recovery.js';
import type { Rooms } from './rooms.js';
import { NO_USERS, type Roster } from './roster.js';
import type { SharedRoom } from './shared-room.js';
import type { TokenOption } from './token.js';

/** The edge's confirmation of a message. */
export interface Receipt {
  /** Names the message: the `id` of the `new_message` that the others get. */
  readonly id: string;
  /** The edge knew the message already: this is a repetition, and nothing was published. */
  readonly duplicate?: true;
  /** RFC 3339: when the edge accepted it, if the edge reports that. */
  readonly timestamp?: string;
  /** Position in the room's history, where it has one. */
  readonly offset?: number;
  /** Of the history that `offset` belongs to. */
  readonly epoch?: string;
}

export interface SendOptions extends CallOptions {
  /**
   * 1 to 64 bytes, globally unique: names the message (`message_id` on the wire). Give your own to make a retry
   * recognizable. Default: a new one.
   */
  readonly id?: string;
}

export interface JoinOptions extends CallOptions {
  /**
   * A room token, where the room needs one, or a function that gives one: asked at every join, those after a reconnect
   * included. A fixed one that has expired by then leaves the room with `FORBIDDEN`.
   */
  readonly token?: TokenOption;
}

/** The roster as a handle shows it. */
export interface RoomRoster extends Pick<Roster, 'users' | 'count'> {
  /** Called after every change. Returns what stops it. */
  onChange(listener: (roster: Pick<Roster, 'users' | 'count'>) => void): Subscription;
}

/** The parts of the client that a room uses. */
export interface RoomPorts {
  readonly rooms: Rooms;
  notify(frame: Frame): void;
  submit(frame: Frame, options?: CallOptions): Promise<Frame>;
}

/**
 * A handle of a room: one of perhaps several, each of a part of the application. The client is in the room while one of them
 * has joined and not left. All handles of a room have one state, one roster, and hear the same.
 *
 * @example
 * const room = client.room('general');
 * room.on('new_message', frame => show(frame.sender.name, frame.payload));
 * await room.join();
 * await room.send({ content: 'hello' });
 */
export class Room<Events = AnyEvents, Sent = Events> {
  readonly name: string;
  /** The users in the room; empty while the client is not in it. */
  readonly roster: RoomRoster;
  readonly #ports: RoomPorts;

  /** Made by `client.room(name)`. @internal */
  constructor(name: string, ports: RoomPorts) {
    this.name = name;
    this.#ports = ports;
    const { rooms } = ports;
    this.roster = {
      get users() {
        return rooms.find(name)?.roster.users ?? NO_USERS;
      },
      get count() {
        return rooms.find(name)?.roster.count ?? 0;
      },
      onChange: listener => this.#shared.listeners.on('*roster', listener),
    };
  }

  get state(): RoomState {
    return this.#ports.rooms.find(this.name)?.membership.state ?? 'left';
  }

  /**
   * Joins the room, and again after every reconnect, until every handle that joined has called `leave()`. Resolves at the edge's `ack`: what is published
   * from then on arrives. Without a connection it waits for one, on a closed client for `connect()`.
   * Retries for 30 s after `RATE_LIMITED` or `UNAVAILABLE`, not before `retry_after_ms`.
   * The rejection may stay unhandled: `onStateChange` reports the same.
   * @throws {HubbubError} `FORBIDDEN`, `ROOM_LIMIT`, `INVALID_ROOM`, `RATE_LIMITED`; `UNAVAILABLE` also when the client is
   * closed meanwhile, and when the function that gives the room token throws.
   * @example await room.join({ token: () => fetch('/room-token?room=vip:1').then(answer => answer.text()) });
   */
  join(options: JoinOptions = {}): Promise<void> {
    const call = (): Promise<void> => {
      const { members, membership } = this.#shared;
      members.add(this);
      return membership.join(options.token);
    };
    const joined = limitCall(options, call, why => {
      this[DISPOSE]();
      return unavailable(`join_room: ${why}.`);
    });
    joined.catch(() => {}); // The caller may ignore it: `onStateChange` reports the same.
    return joined;
  }

  /**
   * Takes back the join of this handle. The last one leaves the room: then it resolves when nothing of the room arrives any
   * more, immediately without a connection. Listeners stay until they are stopped.
   * After `timeoutMs` and after an abort, the room is left all the same.
   * @throws {HubbubError}
   */
  async leave(options?: CallOptions): Promise<void> {
    options?.signal?.throwIfAborted();
    const { members, membership } = this.#shared;
    members.delete(this);
    if (members.size === 0) await membership.leave(options);
    this.#ports.rooms.tidy(this.name);
  }

  /** Leaves the room, as `leave()`, at the end of a `using` block. */
  [DISPOSE](): void {
    this.leave().catch(() => {}); // The session may end first, which leaves the room too.
  }

  /**
   * Sends a message to the other members. Without a connection it waits in the offline queue. Resolves when the broker has
   * it. In a room with history the client repeats it until the broker has it, and the edge never publishes it twice.
   * @throws {HubbubError} `INVALID_PAYLOAD`, `TOO_LARGE`, `NOT_IN_ROOM`, `FORBIDDEN`, `RATE_LIMITED`, `UNAVAILABLE`: it was
   * not sent. `UNAVAILABLE` comes from the edge, from a full queue, from `leave()` or from `close()`.
   * `OUTCOME_UNKNOWN`: perhaps it was published; no answer came in time, or the connection broke before the answer. With
   * history, that is after 4 minutes of repetitions. There, the same `id` again within 5 minutes is never a second message.
   */
  async send(payload: MessagePayload<Sent>, options?: SendOptions): Promise<Receipt> {
    return this.#receipt('send_message', payload, options);
  }

  /** Sends a client event to the services behind the cluster. @throws {HubbubError} as `send`; `UNKNOWN_TYPE`. */
  async sendEvent<Name extends SentName<Sent>>(
    type: Name,
    ...[payload, options]: EventArguments<PayloadOf<Sent, Name, object>, SendOptions>
  ): Promise<Receipt> {
    checkEventName(type);
    return this.#receipt(type, payload ?? {}, options);
  }

  /** Notifies the others that the user types. Does nothing without a connection: later it would not be true. */
  typing(): void {
    this.#ports.notify({ type: 'typing', room: this.name });
  }

  stopTyping(): void {
    this.#ports.notify({ type: 'stop_typing', room: this.name });
  }

  /** Asks presence who is here. @throws {HubbubError} `UNAVAILABLE` when presence does not answer in time. */
  async onlineUsers(options?: CallOptions): Promise<RoomInfo> {
    const answer = await this.#ports.submit({ type: 'online_users', room: this.name }, options);
    return answer.payload as unknown as RoomInfo;
  }

  /**
   * Reads a page of the room's history, oldest first.
   * @example const { messages, more, next } = await room.history({ before: oldestShown, limit: 50 });
   * A room without history has no messages and the epoch `''`.
   * @throws {HubbubError} `NOT_IN_ROOM`, `FORBIDDEN`, `UNAVAILABLE`.
   */
  async history(query: HistoryQuery & CallOptions = {}): Promise<HistoryPage<Events>> {
    const { since, before, limit } = query;
    const frame: Frame = { type: 'history', room: this.name, payload: defined({ since, before, limit }) };
    return readHistoryPage(await this.#ports.submit(frame, query));
  }

  /** Listens to frames of this room, those of services included. Returns what stops it. */
  on<Type extends FrameTypeName<Events>>(type: Type, listener: (frame: FrameOf<Events, Type>) => void): Subscription {
    return this.#shared.listeners.on(type, listener);
  }

  /** Listens to frames of this room of every type, after the listeners of `on`. */
  onAny(listener: (frame: RoomFrame<Events>) => void): Subscription {
    return this.#shared.listeners.on('*', listener);
  }

  /** Hears of every change of `state`. A method of its own, because a service may publish frames of any name. */
  onStateChange(listener: (change: RoomChange) => void): Subscription {
    return this.#shared.listeners.on('*change', listener);
  }

  /**
   * Messages may be missing: fetch again what you show. Called before the message that follows the gap.
   * @example room.onGap(async ({ since, before }) => show((await room.history({ since, before })).messages));
   */
  onGap(listener: (gap: Gap) => void): Subscription {
    return this.#shared.listeners.on('*gap', listener);
  }

  /** After a reconnect nothing is missing: the listeners of `on` have received the missed messages, in order. */
  onRecovered(listener: (recovered: Recovered) => void): Subscription {
    return this.#shared.listeners.on('*recovered', listener);
  }

  /** The state that all handles of the room share. */
  get #shared(): SharedRoom {
    return this.#ports.rooms.use(this.name);
  }

  async #receipt(type: string, payload: unknown, options: SendOptions = {}): Promise<Receipt> {
    const frame = defined({ type, room: this.name, id: options.id, payload: payload as Payload });
    const answer = await this.#ports.submit(frame, options);
    const { timestamp, epoch, offset, payload: { duplicate } = {} } = answer;
    return defined({ id: answer.id ?? '', timestamp, epoch, offset, duplicate: duplicate === true || undefined });
  }
}
