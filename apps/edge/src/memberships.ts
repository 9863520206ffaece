/** Who on this edge is reached by which channel: memberships of rooms, users' own channels, and everybody. */
import type { Interest } from '@hubbub/broker';
import type { Channels } from '@hubbub/protocol';
import { Audience } from './audience.js';
import type { PresenceReporter } from './presence-reporter.js';
import type { Session } from './session.js';

/**
 * Keeps audiences, subscriptions and presence in step: a session is in a room's audience only while the channel is held,
 * and presence is told after the subscription is confirmed.
 */
export class Memberships {
  readonly #interest: Interest;
  readonly #channels: Channels;
  readonly #presence: PresenceReporter;
  readonly #audiences = new Map<string, Audience>();
  readonly everybody: Audience;

  constructor(interest: Interest, channels: Channels, presence: PresenceReporter) {
    this.#interest = interest;
    this.#channels = channels;
    this.#presence = presence;
    this.everybody = new Audience(channels.broadcast);
    this.#audiences.set(channels.broadcast, this.everybody);
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

  /** Resolves when what is published to the room reaches the session. @throws {HubbubError} `UNAVAILABLE` */
  async join(session: Session, room: string): Promise<void> {
    const channel = this.#channels.room(room);
    await this.#interest.acquire(channel);
    if (session.closed) return this.#interest.release(channel);
    this.#audience(channel, room).add(session);
    session.rooms.add(room);
    this.#presence.joined(session, room);
  }

  leave(session: Session, room: string): void {
    session.rooms.delete(room);
    this.#remove(session, this.#channels.room(room));
    this.#presence.left(session, room);
  }

  /** A session whose connection ended: out of everything. Its rooms are told to presence as one. */
  close(session: Session): void {
    const wasOpen = session.state === 'open';
    session.state = 'closed';
    if (!wasOpen) return;
    this.#presence.sessionClosed(session);
    for (const room of session.rooms) this.#remove(session, this.#channels.room(room));
    session.rooms.clear();
    this.#remove(session, this.#channels.user(session.user.id));
    this.everybody.remove(session);
  }

  #audience(channel: string, room?: string): Audience {
    let audience = this.#audiences.get(channel);
    if (audience === undefined) {
      audience = new Audience(channel, room);
      this.#audiences.set(channel, audience);
    }
    return audience;
  }

  #remove(session: Session, channel: string): void {
    const audience = this.#audience(channel);
    audience.remove(session);
    if (audience.size === 0) this.#audiences.delete(channel);
    this.#interest.release(channel);
  }
}
