/**
 * Those sessions on this edge that one channel reaches: a room's members, a user's sessions, or everybody. One native
 * topic per encoding; the bytes are made once per encoding and the engine does the rest.
 */
import { type Encoding, roomPrefix, spliceRoom } from '@hubbub/protocol';
import type { ConflatedRoom, Conflation } from './conflation.js';
import type { Session } from './session.js';
import type { Sessions } from './sessions.js';
import { transcode } from './transcode.js';

/** Hands bytes to every subscriber of a native topic. */
export type PublishToTopic = (topic: string, bytes: Uint8Array, isBinary: boolean) => void;

/** A frame on its way to an audience, in its publisher's encoding. */
export interface Delivery {
  readonly encoding: Encoding;
  readonly body: Uint8Array;
  /** Member that does not get it. */
  readonly except: Session | undefined;
  /** Position in the room's history, where it has one. */
  readonly offset?: number | undefined;
  /** Where the room conflates: a newer message of this key takes its place. */
  readonly key?: string | undefined;
}

export class Audience {
  readonly channel: string;
  /** Named in every frame; `undefined` for a user's sessions and for everybody. */
  readonly room: string | undefined;
  readonly #sizes: Record<Encoding, number> = { json: 0, msgpack: 0 };
  readonly #prefixes: Partial<Record<Encoding, Uint8Array>> = {};

  /** Where slow readers get only the newest per key. */
  readonly #conflated: ConflatedRoom | undefined;

  constructor(channel: string, room?: string, conflation?: Conflation) {
    this.channel = channel;
    this.room = room;
    this.#conflated = conflation?.open(encoding => this.#topic(encoding));
  }

  get size(): number {
    return this.#sizes.json + this.#sizes.msgpack;
  }

  /** The session with that id, when it is here and one of the audience. */
  memberAmong(sessions: Sessions, id: string | undefined): Session | undefined {
    const session = id === undefined ? undefined : sessions.get(id);
    if (session === undefined || session.state !== 'open') return undefined;
    return this.room === undefined || session.rooms.has(this.room) ? session : undefined;
  }

  add(session: Session): void {
    session.socket.subscribe(this.#topic(session.encoding));
    this.#conflated?.add(session);
    this.#sizes[session.encoding]++;
  }

  /** For a session that stays; the topics of one that closed are gone with its socket. */
  remove(session: Session): void {
    if (!session.closed) session.socket.unsubscribe(this.#topic(session.encoding));
    this.#conflated?.remove(session);
    this.#sizes[session.encoding]--;
  }

  /**
   * Delivers to every member but `except`, and returns how many that are; `undefined` when the body is malformed, and then
   * nobody got anything in the encoding that could not be made.
   */
  deliver({ encoding, body, except, offset, key }: Delivery, publish: PublishToTopic): number | undefined {
    let delivered = 0;
    for (const wanted of ['json', 'msgpack'] as const) {
      const recipients = this.#sizes[wanted] - (except?.encoding === wanted ? 1 : 0);
      if (recipients <= 0) continue;
      const bytes = this.#frame(wanted, encoding === wanted ? body : transcode(encoding, body), offset);
      if (bytes === undefined) return undefined;
      const topic = this.#topic(wanted);
      // The engine leaves out only who has the topic.
      const leftOut = except?.encoding === wanted && this.#conflated?.isAway(except) !== true;
      if (leftOut) except.socket.publish(topic, bytes, wanted === 'msgpack');
      else publish(topic, bytes, wanted === 'msgpack');
      this.#conflated?.published({ encoding: wanted, bytes, key, except });
      delivered += recipients;
    }
    return delivered;
  }

  #topic(encoding: Encoding): string {
    return encoding === 'json' ? `j${this.channel}` : `m${this.channel}`;
  }

  #frame(encoding: Encoding, body: Uint8Array | undefined, offset?: number): Uint8Array | undefined {
    if (body === undefined || this.room === undefined) return body;
    this.#prefixes[encoding] ??= roomPrefix(encoding, this.room);
    return spliceRoom(encoding, this.#prefixes[encoding], body, offset);
  }
}
