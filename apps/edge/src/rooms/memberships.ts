/** The audience of each channel on this edge: rooms, users' own channels, and everybody. */
import type { Interest } from '@hubbub/broker';
import type { Channels, Position, Recovery } from '@hubbub/protocol';
import type { Conflation } from '../conflation/conflation.js';
import { type EntryOptions, enter } from '../history/entry.js';
import type { RoomFeeds } from '../history/room-feeds.js';
import type { PresenceReporter } from '../presence/presence-reporter.js';
import type { Session } from '../sessions/session.js';
import { Audience } from './audience.js';

export interface MembershipsOptions {
  readonly interest: Interest;
  readonly channels: Channels;
  readonly presence: PresenceReporter;
  readonly feeds: RoomFeeds;
  readonly entryOptions: EntryOptions;
  /** The room's conflation, if its namespace has one. */
  readonly conflationOf: (room: string) => Conflation | undefined;
}

export interface JoinOptions {
  readonly since?: Position | undefined;
  /** Called when the session is about to be in the room, before it gets anything of it. */
  readonly announce?: ((recovery: Recovery | undefined) => void) | undefined;
}

/**
 * Keeps audiences, subscriptions and presence in step. A session is in a room's audience only while the channel is held, and
 * presence is notified after the subscription is confirmed.
 */
export class Memberships {
  readonly #interest: Interest;
  readonly #channels: Channels;
  readonly #presence: PresenceReporter;
  readonly #feeds: RoomFeeds;
  readonly #entryOptions: EntryOptions;
  readonly #conflationOf: (room: string) => Conflation | undefined;
  readonly #audiences = new Map<string, Audience>();
  #rooms = 0;
  readonly everybody: Audience;

  constructor(options: MembershipsOptions) {
    this.#interest = options.interest;
    this.#channels = options.channels;
    this.#presence = options.presence;
    this.#feeds = options.feeds;
    this.#entryOptions = options.entryOptions;
    this.#conflationOf = options.conflationOf;
    this.everybody = new Audience(options.channels.broadcast);
    this.#audiences.set(options.channels.broadcast, this.everybody);
  }

  /** Rooms with a member here, or with one that is about to enter. */
  get rooms(): number {
    return this.#rooms;
  }

  audienceOf(channel: string): Audience | undefined {
    return this.#audiences.get(channel);
  }

  /**
   * A new session: reached by what goes to everybody and to its user.
   * @throws {HubbubError} `UNAVAILABLE` when the user's channel cannot be subscribed.
   */
  async open(session: Session): Promise<void> {
    const channel = this.#channels.user(session.user.id);
    await this.#interest.acquire(channel);
    if (session.closed) return this.#interest.release(channel);
    this.#audience(channel).add(session);
    this.everybody.add(session);
    session.state = 'open';
    this.#presence.sessionOpened(session);
  }

  /**
   * Resolves when what is published to the room reaches the session, and where it has a history what follows `since` has
   * been sent. Returns where the session entered the history. A session that is in the room gets what follows `since`.
   * @throws {HubbubError} `UNAVAILABLE`; the session is then no member unless it was one.
   */
  async join(session: Session, room: string, { since, announce }: JoinOptions = {}): Promise<Recovery | undefined> {
    const channel = this.#channels.room(room);
    const isMember = session.rooms.has(room);
    await this.#interest.acquire(channel);
    const feed = this.#feeds.hold(room);
    let entered = false;
    const joinTopic = (): void => {
      if (!isMember) {
        entered = true;
        this.#audience(channel, room).add(session);
        session.rooms.add(room);
      }
      this.#presence.joined(session, room); // A repeated join gets the roster again.
    };
    // A member may be removed from the room while it recovers, and a session that is not in it may end.
    const isWanted = (): boolean => !session.closed && session.rooms.has(room) === isMember;
    try {
      if (feed !== undefined) {
        return await enter(feed, { session, since, announce, joinTopic, isWanted }, this.#entryOptions);
      }
      if (isWanted()) {
        announce?.(undefined);
        joinTopic();
      }
      return undefined;
    } finally {
      // A new member keeps what was acquired until it leaves.
      if (!entered) this.#release(channel, room);
    }
  }

  leave(session: Session, room: string): void {
    session.rooms.delete(room);
    session.revoke(room);
    this.#removeFromRoom(session, room);
    this.#presence.left(session, room);
  }

  /** Removes a session with a closed connection from everything. Presence gets one report for its rooms. */
  close(session: Session): void {
    const wasOpen = session.state === 'open';
    session.state = 'closed';
    if (!wasOpen) return;
    this.#presence.sessionClosed(session);
    for (const room of session.rooms) this.#removeFromRoom(session, room);
    session.rooms.clear();
    const channel = this.#channels.user(session.user.id);
    this.#remove(session, channel);
    this.#release(channel);
    this.everybody.remove(session);
  }

  #audience(channel: string, room?: string): Audience {
    let audience = this.#audiences.get(channel);
    if (audience === undefined) {
      audience = new Audience(channel, room, room === undefined ? undefined : this.#conflationOf(room));
      this.#audiences.set(channel, audience);
      if (room !== undefined) this.#rooms++;
    }
    return audience;
  }

  #remove(session: Session, channel: string): void {
    const audience = this.#audience(channel);
    audience.remove(session);
    if (audience.size > 0) return;
    this.#audiences.delete(channel);
    if (audience.room !== undefined) this.#rooms--;
  }

  #removeFromRoom(session: Session, room: string): void {
    const channel = this.#channels.room(room);
    this.#remove(session, channel);
    this.#release(channel, room);
  }

  #release(channel: string, room?: string): void {
    if (room !== undefined) this.#feeds.release(room);
    this.#interest.release(channel);
  }
}
