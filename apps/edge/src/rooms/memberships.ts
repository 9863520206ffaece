/** Which sessions are in which rooms: keeps audiences, subscriptions and presence in step. */
import type { Interest } from '@hubbub/broker';
import { type Channels, HubbubError, type Position, type Recovery } from '@hubbub/protocol';
import { inSpan, type Logger, type SpanLogFields, type Tracing } from '@hubbub/runtime';
import type { Accounts } from '../account/accounts.js';
import type { Happening } from '../account/trail.js';
import type { Grant } from '../admission/rights.js';
import type { JoinFeed } from '../history/join-feed.js';
import type { RoomFeeds } from '../history/room-feeds.js';
import type { PresenceReporter } from '../presence/presence-reporter.js';
import type { Session } from '../sessions/session.js';
import type { Audiences } from './fanout.js';
import type { RoomTokens } from './room-tokens.js';

export interface MembershipsParts {
  readonly interest: Interest;
  readonly channels: Channels;
  /** Carries messages for single sessions of this edge. */
  readonly nodeChannel: string;
  readonly audiences: Audiences;
  readonly presence: Pick<PresenceReporter, 'sessionOpened' | 'sessionClosed' | 'joined' | 'left'>;
  readonly feeds: RoomFeeds;
  readonly joinFeed: JoinFeed;
  readonly roomTokens: Pick<RoomTokens, 'joined' | 'left'>;
  readonly accounts: Pick<Accounts, 'note'>;
  readonly tracing: Tracing;
  readonly log: Pick<Logger, 'debug'>;
}

export interface JoinOptions {
  /** Messages after this position, or the last one, are replayed if the session may read the history. */
  readonly since?: Position | 'last_message' | undefined;
  /** The rights that a room token grants in the room; applied when the session joins. */
  readonly grant?: Grant | undefined;
  /** Called just before the session joins, before it receives any message of the room. */
  readonly announce?: ((recovery: Recovery | undefined) => void) | undefined;
}

/** A session is in a room's audience only while the channel is held; presence is notified after the subscription is confirmed. */
export class Memberships {
  readonly #parts: MembershipsParts;

  constructor(parts: MembershipsParts) {
    this.#parts = parts;
  }

  /**
   * Opens a session: from now on it gets messages for all, for its user and for itself.
   * @throws {HubbubError} `UNAVAILABLE` when one of their channels cannot be subscribed.
   */
  async open(session: Session): Promise<void> {
    const { interest, channels, nodeChannel, audiences, presence } = this.#parts;
    const userChannel = channels.user(session.user.id);
    const needed = [channels.broadcast, nodeChannel, userChannel];
    const held: string[] = [];
    try {
      for (const channel of needed) {
        const confirmed = interest.acquire(channel);
        if (confirmed !== undefined) await confirmed;
        held.push(channel);
      }
    } finally {
      if (held.length < needed.length || session.closed) for (const channel of held) interest.release(channel);
    }
    if (session.closed) return;
    audiences.add(session, userChannel);
    audiences.add(session, channels.broadcast);
    session.state = 'open';
    presence.sessionOpened(session);
  }

  /**
   * Resolves when messages to the room reach the session and, if the room has a history, those after `since` have been sent.
   * Returns the session's position in the history. A member that joins again gets the messages after `since`.
   * @throws {HubbubError} `UNAVAILABLE`: the session is then no member unless it was one; `NOT_IN_ROOM` if a member was
   * removed in the meantime
   */
  join(session: Session, room: string, options: JoinOptions = {}): Promise<Recovery | undefined> {
    const span = this.#parts.tracing.start({ name: 'join', kind: 'server' });
    span?.setPersonal({ room, user: session.user.id });
    return inSpan(
      span,
      () => this.#join(session, room, options, span?.logFields),
      recovery => ({ 'hubbub.history': recovery !== undefined, 'hubbub.recovered': recovery?.recovered }),
    );
  }

  async #join(
    session: Session,
    room: string,
    { since, grant, announce }: JoinOptions,
    spanFields: SpanLogFields | undefined,
  ): Promise<Recovery | undefined> {
    const { interest, channels, audiences, presence, feeds, joinFeed, roomTokens, accounts, log } = this.#parts;
    const mayReplay = session.allows(room, 'history') || grant?.rights.includes('history') === true;
    const restrictRecovery = (recovery: Recovery | undefined): Recovery | undefined =>
      mayReplay || since === undefined || recovery === undefined ? recovery : declineReplay(recovery);
    const isMember = session.rooms.has(room);
    // A member may be removed while it recovers, and a session that is not in it may end.
    const isStillValid = (): boolean => !session.closed && session.rooms.has(room) === isMember;
    const channel = channels.room(room);
    let joined = false;
    const joinTopic = (): void => {
      if (grant !== undefined) {
        const { member } = grant;
        // The session would stay in the roster as the former member too.
        if (isMember && member !== undefined && member.user.id !== session.userIn(room).id)
          presence.left(session, room);
        session.grant(room, grant);
        roomTokens.joined(session, room, grant);
      }
      if (!isMember) {
        joined = true;
        audiences.add(session, channel, room);
        session.rooms.add(room);
        if (room === session.pathRoom && session.joinedPathRoomAtSeconds === 0) {
          session.joinedPathRoomAtSeconds = Math.floor(Date.now() / 1000);
        } else accounts.note(session, { event: 'joined', room });
        log.debug?.(
          { event: 'room_joined', session: session.id, user: session.user.id, room, ...spanFields },
          'session joined a room',
        );
      }
      presence.joined(session, room, isMember); // A member gets `room_info` again.
    };
    const confirmed = interest.acquire(channel);
    // A member that joins again waits a turn in any case: it may be removed before its answer.
    if (confirmed !== undefined || isMember) await confirmed;
    const feed = feeds.hold(room, channel);
    let recovery: Recovery | undefined;
    try {
      if (feed !== undefined) {
        const joining = joinFeed(feed, {
          session,
          since: mayReplay ? since : undefined,
          announce: announce && (recovery => announce(restrictRecovery(recovery))),
          joinTopic,
          isStillValid,
        });
        recovery = joining instanceof Promise ? await joining : joining;
      } else if (isStillValid()) {
        announce?.(undefined);
        joinTopic();
      }
    } finally {
      // A new member keeps what was acquired until it leaves.
      if (!joined) this.#release(channel, room);
    }
    if (!session.closed && !session.rooms.has(room)) {
      throw new HubbubError('NOT_IN_ROOM', 'A service removed the session from the room before the answer.');
    }
    const answered = restrictRecovery(recovery);
    if (since !== undefined && since !== 'last_message' && answered !== undefined) {
      const { recovered, reason } = answered;
      accounts.note(session, { event: recovered === true ? 'recovered' : 'not_recovered', room, reason });
    }
    return answered;
  }

  /** @param departure as its account reports it */
  leave(session: Session, room: string, departure: Pick<Happening, 'event' | 'reason'> = { event: 'left' }): void {
    this.#parts.accounts.note(session, { ...departure, room });
    session.rooms.delete(room);
    this.#removeFromRoom(session, room);
    this.#parts.presence.left(session, room); // As the member that its grant names.
    session.revoke(room);
  }

  /** Removes a session with a closed connection from everything. Presence gets one report for its rooms. */
  close(session: Session): void {
    const { channels, nodeChannel, audiences, presence } = this.#parts;
    const wasOpen = session.state === 'open';
    session.state = 'closed';
    if (!wasOpen) return;
    presence.sessionClosed(session);
    for (const room of session.rooms) this.#removeFromRoom(session, room);
    session.rooms.clear();
    for (const channel of [channels.broadcast, channels.user(session.user.id)]) {
      audiences.remove(session, channel);
      this.#release(channel);
    }
    this.#release(nodeChannel);
  }

  #removeFromRoom(session: Session, room: string): void {
    this.#parts.roomTokens.left(session, room);
    const channel = this.#parts.channels.room(room);
    this.#parts.audiences.remove(session, channel);
    this.#release(channel, room);
  }

  #release(channel: string, room?: string): void {
    if (room !== undefined) this.#parts.feeds.release(room);
    this.#parts.interest.release(channel);
  }
}

/** A replay reads the history: a session without that right only gets new messages, and its answer reports that. */
function declineReplay(recovery: Recovery): Recovery {
  return { ...recovery, recovered: false, reason: 'no_history' };
}
