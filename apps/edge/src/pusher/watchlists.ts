/**
 * Watchlists of the Pusher protocol: whether the users that sessions here watch are online. A user is online as the member of
 * its own room (`onlineRoom`). This edge subscribes to that room once for all its watchers, asks presence once, and follows the
 * changes. Each change is encoded once and goes out through a topic of the engine.
 */
import type { Interest } from '@hubbub/broker';
import { type Channels, type Envelope, isPlainObject, jsonCodec, type Payload } from '@hubbub/protocol';
import type { Request } from '@hubbub/protocol/client-frame';
import { watchlistText } from '@hubbub/protocol/pusher';
import type { PresenceReporter } from '../presence/presence-reporter.js';
import type { RosterAsker, RosterQuestions } from '../presence/roster-questions.js';
import type { PublishToTopic } from '../rooms/audience.js';
import type { Session } from '../sessions/session.js';

export interface WatchlistsParts {
  readonly interest: Pick<Interest, 'acquire' | 'release'>;
  readonly channels: Pick<Channels, 'room'>;
  readonly publish: PublishToTopic;
  readonly presence: Pick<PresenceReporter, 'askRoster'>;
  readonly questions: Pick<RosterQuestions, 'add' | 'refuse'>;
}

/** A user to watch, and the room that the user is in while online. */
export interface WatchedRoom {
  readonly userId: string;
  readonly room: string;
}

/** A user that at least one session here watches. */
interface WatchedUser extends WatchedRoom {
  readonly channel: string;
  watchers: number;
  /** The subscription of the channel is confirmed. */
  isHeld: boolean;
  /** As the watchers know it; `undefined` until presence has answered. */
  isOnline: boolean | undefined;
  /** Of the roster that `isOnline` is read from. Older announcements and answers change nothing. */
  version: number;
  /** `resolving`: a subscription or a question is in flight. `unresolved`: neither; it is asked with the next retry. */
  state: 'resolving' | 'unresolved' | 'known';
  /** The last one, by which its answer is known: an answer to an earlier one may be out of date. */
  question: string | undefined;
}

/** Asks presence in place of a session. The id of no session is so short. */
const ASKER_ID = 'watch';
const TOPIC_PREFIX = 'w';
const RETRY_MS = 1000;
/** Below the version of every room. */
const NO_VERSION = -1;

export class Watchlists {
  readonly #parts: WatchlistsParts;
  readonly #byChannel = new Map<string, WatchedUser>();
  readonly #ofSession = new WeakMap<Session, readonly WatchedUser[]>();
  readonly #asker: RosterAsker = {
    id: ASKER_ID,
    refuse: question => this.#refused(question),
    answered: ({ room, frameId }, answer) => this.#answered(room, frameId, answer),
  };
  #asked = 0;
  #retryTimer: NodeJS.Timeout | undefined;

  constructor(parts: WatchlistsParts) {
    this.#parts = parts;
  }

  /** Users that sessions here watch. */
  get size(): number {
    return this.#byChannel.size;
  }

  /**
   * Replaces the watchlist of a session, and sends it what is known of these users. The others follow when presence answers.
   * Returns the number of users that are new to this edge.
   */
  watch(session: Session, rooms: readonly WatchedRoom[]): number {
    const watched = rooms.map(room => this.#of(room));
    // Before the former ones are released: users on both lists stay known.
    for (const user of watched) user.watchers++;
    this.release(session);
    this.#ofSession.set(session, watched);
    const online: string[] = [];
    const offline: string[] = [];
    let added = 0;
    for (const user of watched) {
      session.socket.subscribe(topicOf(user));
      if (user.isOnline !== undefined) (user.isOnline ? online : offline).push(user.userId);
      else if (user.state === 'unresolved') {
        added++;
        void this.#resolve(user);
      }
    }
    if (online.length + offline.length > 0) session.socket.send(watchlistText({ online, offline }), false);
    return added;
  }

  /** Removes the watchlist of a session. */
  release(session: Session): void {
    for (const user of this.#ofSession.get(session) ?? []) {
      if (!session.closed) session.socket.unsubscribe(topicOf(user));
      user.watchers--;
      if (user.watchers > 0) continue;
      this.#byChannel.delete(user.channel);
      if (user.isHeld) this.#parts.interest.release(user.channel);
    }
    this.#ofSession.delete(session);
  }

  /** Takes a message that the broker brought for a channel. */
  arrived(channel: string, { encoding, body }: Pick<Envelope, 'encoding' | 'body'>): void {
    const user = this.#byChannel.get(channel);
    if (user === undefined || encoding !== 'json') return; // Presence writes JSON.
    const { type, payload } = readFrame(body);
    if (payload === undefined || typeof payload.version !== 'number' || payload.version <= user.version) return;
    if (type === 'room_info') this.#learn(user, lists(payload, user), payload.version);
    else if ((type === 'user_joined' || type === 'user_left') && isAbout(payload.user, user)) {
      this.#learn(user, type === 'user_joined', payload.version);
    }
  }

  /** The subscriptions of these channels broke, or a message could not be read: changes may be missing. */
  recheck(channels: readonly string[]): void {
    for (const channel of channels) {
      const user = this.#byChannel.get(channel);
      if (user === undefined) continue;
      user.version = NO_VERSION;
      if (user.isHeld) this.#ask(user); // Otherwise the question follows the subscription.
    }
  }

  close(): void {
    clearTimeout(this.#retryTimer);
  }

  #of({ userId, room }: WatchedRoom): WatchedUser {
    const channel = this.#parts.channels.room(room);
    let user = this.#byChannel.get(channel);
    if (user === undefined) {
      user = {
        ...{ userId, room, channel },
        ...{
          watchers: 0,
          isHeld: false,
          isOnline: undefined,
          version: NO_VERSION,
          state: 'unresolved',
          question: undefined,
        },
      };
      this.#byChannel.set(channel, user);
    }
    return user;
  }

  /** Subscribes to the channel of the user, and asks presence. Never rejects. */
  async #resolve(user: WatchedUser): Promise<void> {
    user.state = 'resolving';
    try {
      if (!user.isHeld) await this.#parts.interest.acquire(user.channel);
    } catch {
      this.#postpone(user); // The broker does not answer.
      return;
    }
    if (user.watchers === 0) {
      this.#parts.interest.release(user.channel); // Its last watcher has left meanwhile.
      return;
    }
    user.isHeld = true;
    this.#ask(user);
  }

  #ask(user: WatchedUser): void {
    const { presence, questions } = this.#parts;
    user.state = 'resolving';
    user.question = String(++this.#asked);
    const question = questions.add(this.#asker, user.room, user.question);
    if (question === undefined) this.#postpone(user);
    else if (!presence.askRoster(this.#asker, user.room, question)) questions.refuse(question);
  }

  /** Takes the answer of presence to a question about a room. */
  #answered(room: string, question: string | undefined, { body }: Pick<Envelope, 'body'>): void {
    const user = this.#asking(room, question);
    if (user === undefined) return;
    const { payload } = readFrame(body);
    if (payload === undefined || typeof payload.version !== 'number') {
      this.#postpone(user);
      return;
    }
    user.state = 'known';
    // An empty room has the version 0: an announcement that has overtaken the answer is newer.
    if (payload.version > user.version) this.#learn(user, lists(payload, user), payload.version);
  }

  /** The question did not reach presence, or got no answer. */
  #refused({ room = '', id }: Request): void {
    const user = this.#asking(room, id);
    if (user !== undefined) this.#postpone(user);
  }

  /** The user that this question is about; `undefined` where it has been asked again. */
  #asking(room: string, question: string | undefined): WatchedUser | undefined {
    const user = this.#byChannel.get(this.#parts.channels.room(room));
    return user?.state === 'resolving' && user.question === question ? user : undefined;
  }

  #postpone(user: WatchedUser): void {
    user.state = 'unresolved';
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = undefined;
      for (const each of this.#byChannel.values()) if (each.state === 'unresolved') void this.#resolve(each);
    }, RETRY_MS);
  }

  #learn(user: WatchedUser, isOnline: boolean, version: number): void {
    user.version = version;
    if (user.isOnline === isOnline) return;
    user.isOnline = isOnline;
    const changed = [user.userId];
    const text = watchlistText(isOnline ? { online: changed, offline: [] } : { online: [], offline: changed });
    this.#parts.publish(topicOf(user), Buffer.from(text), false);
  }
}

function topicOf({ channel }: WatchedUser): string {
  return TOPIC_PREFIX + channel;
}

function readFrame(body: Uint8Array): { readonly type?: unknown; readonly payload?: Payload } {
  try {
    const frame = jsonCodec.decode(body);
    return isPlainObject(frame) && isPlainObject(frame.payload) ? { type: frame.type, payload: frame.payload } : {};
  } catch {
    return {}; // Malformed: another program wrote it.
  }
}

/** Whether the roster lists the user. A client of Hubbub with the right to join may be in the room, too. */
function lists({ users }: Payload, user: WatchedUser): boolean {
  return Array.isArray(users) && users.some(each => isAbout(each, user));
}

function isAbout(member: unknown, { userId }: WatchedUser): boolean {
  return isPlainObject(member) && member.id === userId;
}
