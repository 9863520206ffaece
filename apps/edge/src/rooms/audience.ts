/**
 * Those sessions on this edge that one channel reaches: a room's members, a user's sessions, or everybody. One topic per
 * encoding; the bytes are made once per encoding, and the engine does the rest for WebSockets.
 */
import { type Encoding, type Envelope, type Position, roomPrefix } from '@hubbub/protocol';
import { bodyEncoding, SESSION_ENCODINGS, type SessionEncoding, transcodeFor } from '@hubbub/protocol/session-encoding';
import type { ConflatedRoom, Conflation } from '../conflation/conflation.js';
import { type Session, type Socket, STREAM_TOPIC } from '../sessions/session.js';
import type { Sessions } from '../sessions/sessions.js';

/** Hands bytes to every subscriber of a topic, but `except`, which must be one. */
export type PublishToTopic = (topic: string, bytes: Uint8Array, isBinary: boolean, except?: Socket) => void;

/** A frame on its way to an audience, in its publisher's encoding. */
export interface Delivery {
  readonly encoding: Encoding;
  readonly body: Uint8Array;
  /** Members that do not get it. */
  readonly except: readonly Session[];
  /** In the room's history, where it has one. */
  readonly position?: Position | undefined;
  /** Where the room conflates: a newer message of this key takes its place. */
  readonly key?: string | undefined;
}

/** The outcome of a frame. */
export interface Delivered {
  /** Members that got it. */
  readonly delivered: number;
  /** The body is malformed: members of an encoding that could not be made of it got nothing. */
  readonly isMalformed: boolean;
}

const NO_SESSIONS: readonly Session[] = [];
/** A topic per channel and encoding. */
const TOPIC_PREFIX: Readonly<Record<SessionEncoding, string>> = {
  json: 'j',
  msgpack: 'm',
  pusher: 'p',
  sse: `${STREAM_TOPIC}m`,
  sse_presence: `${STREAM_TOPIC}p`,
};

export class Audience {
  readonly channel: string;
  /** Named in every frame; `undefined` for a user's sessions and for everybody. */
  readonly room: string | undefined;
  // One field for each encoding: there is an audience for every user, and an object in it would cost as much again.
  #jsonSize = 0;
  #msgpackSize = 0;
  #pusherSize = 0;
  #sseSize = 0;
  #ssePresenceSize = 0;
  #jsonPrefix: Uint8Array | undefined;
  #msgpackPrefix: Uint8Array | undefined;
  /** Where slow readers get only the newest per key. */
  readonly #conflated: ConflatedRoom | undefined;

  constructor(channel: string, room?: string, conflation?: Conflation) {
    this.channel = channel;
    this.room = room;
    this.#conflated = conflation?.open(encoding => this.#topic(encoding));
  }

  get size(): number {
    return this.#jsonSize + this.#msgpackSize + this.#pusherSize + this.#sseSize + this.#ssePresenceSize;
  }

  /** Whether clients of the Pusher protocol are in it. */
  get hasPusherMembers(): boolean {
    return this.#pusherSize > 0;
  }

  /** Those of the audience whom the envelope leaves out. */
  excluded(sessions: Sessions, { excludeSession, excludeUser }: Envelope): readonly Session[] {
    if (excludeSession === undefined && excludeUser === undefined) return NO_SESSIONS;
    const named = new Set(excludeUser === undefined ? [] : sessions.ofUser(excludeUser));
    const one = excludeSession === undefined ? undefined : sessions.get(excludeSession);
    if (one !== undefined) named.add(one);
    return [...named].filter(session => this.#reaches(session));
  }

  add(session: Session): void {
    session.socket.subscribe(this.#topic(session.encoding));
    this.#conflated?.add(session);
    this.#grow(session.encoding, 1);
  }

  /** For a session that stays; the topics of one that closed are gone with its socket. */
  remove(session: Session): void {
    if (!session.closed) session.socket.unsubscribe(this.#topic(session.encoding));
    this.#conflated?.remove(session);
    this.#grow(session.encoding, -1);
  }

  /** Delivers to every member but `except`. An encoding that cannot be made of the body leaves the other one alone. */
  deliver({ encoding, body, except, position, key }: Delivery, publish: PublishToTopic): Delivered {
    let delivered = 0;
    let isMalformed = false;
    for (const wanted of SESSION_ENCODINGS) {
      const size = this.#sizeOf(wanted);
      if (size === 0) continue;
      const leftOut = except.length === 0 ? except : except.filter(session => session.encoding === wanted);
      const recipients = size - leftOut.length;
      if (recipients <= 0) continue;
      const bytes = this.#frame(wanted, { encoding, body }, position);
      if (bytes === undefined) {
        isMalformed = true;
        continue;
      }
      if (bytes.length === 0) continue; // The encoding has no form of it.
      this.#publishPast(leftOut, wanted, bytes, publish);
      this.#conflated?.published({ encoding: wanted, bytes, key, except });
      delivered += recipients;
    }
    return { delivered, isMalformed };
  }

  /**
   * The engine leaves out one subscriber of a topic. Further ones step off the topic for the moment: what it holds for them
   * until the end of the turn stays theirs, in its place.
   */
  #publishPast(
    leftOut: readonly Session[],
    encoding: SessionEncoding,
    bytes: Uint8Array,
    publish: PublishToTopic,
  ): void {
    const topic = this.#topic(encoding);
    const isBinary = encoding === 'msgpack';
    // The engine can leave out only a subscriber of the topic.
    const [one, ...others] = leftOut.filter(session => this.#conflated?.isAway(session) !== true);
    for (const { socket } of others) socket.unsubscribe(topic);
    publish(topic, bytes, isBinary, one?.socket);
    for (const { socket } of others) socket.subscribe(topic);
  }

  #reaches(session: Session): boolean {
    return session.state === 'open' && (this.room === undefined || session.rooms.has(this.room));
  }

  #topic(encoding: SessionEncoding): string {
    return `${TOPIC_PREFIX[encoding]}${this.channel}`;
  }

  #sizeOf(encoding: SessionEncoding): number {
    if (encoding === 'json') return this.#jsonSize;
    if (encoding === 'msgpack') return this.#msgpackSize;
    if (encoding === 'pusher') return this.#pusherSize;
    return encoding === 'sse' ? this.#sseSize : this.#ssePresenceSize;
  }

  #grow(encoding: SessionEncoding, by: 1 | -1): void {
    if (encoding === 'json') this.#jsonSize += by;
    else if (encoding === 'msgpack') this.#msgpackSize += by;
    else if (encoding === 'pusher') this.#pusherSize += by;
    else if (encoding === 'sse') this.#sseSize += by;
    else this.#ssePresenceSize += by;
  }

  #prefix(encoding: Encoding, room: string): Uint8Array {
    if (encoding === 'json') {
      this.#jsonPrefix ??= roomPrefix('json', room);
      return this.#jsonPrefix;
    }
    this.#msgpackPrefix ??= roomPrefix('msgpack', room);
    return this.#msgpackPrefix;
  }

  #frame(
    encoding: SessionEncoding,
    published: Pick<Delivery, 'encoding' | 'body'>,
    position?: Position,
  ): Uint8Array | undefined {
    const { room: name } = this;
    const room = name === undefined ? undefined : { name, prefix: this.#prefix(bodyEncoding(encoding), name) };
    return transcodeFor(encoding, published, room, position);
  }
}
