/** Joins a session to the feed of a room: sends what it missed, then what is live, without an await between. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type GapReason, HubbubError, type Position, type Recovery } from '@hubbub/protocol';
import { encodeBytesFor } from '@hubbub/protocol/session-encoding';
import type { Session } from '../sessions/session.js';
import type { RecoveryMetrics } from './recovery-metrics.js';
import type { ReplayTurns } from './replay-turns.js';
import type { RoomFeed } from './room-feed.js';
import { roomOffsetFrame } from './room-message.js';

export interface JoinFeedOptions {
  readonly maxReplayMessages: number;
  readonly maxBufferedBytes: number;
  readonly metrics: RecoveryMetrics;
  /** Shared by all sessions that recover on this edge. */
  readonly turns: ReplayTurns;
}

export interface Joining {
  readonly session: Session;
  /** The last message that the session has; `last_message`: it gets the last one of the history. */
  readonly since: Position | 'last_message' | undefined;
  /** Called once, before the session gets anything of the room. */
  readonly announce?: ((recovery: Recovery) => void) | undefined;
  /** Makes the session a member: it receives every later delivery. */
  readonly joinTopic: () => void;
  /** Whether the join is still valid; checked after every await. */
  readonly isStillValid: () => boolean;
}

const DRAIN_POLL_MS = 10;
const DRAIN_TIMEOUT_MS = 5000;

/**
 * Returns `undefined` when the join became invalid in the meantime. Most sessions ask for nothing that they missed: those join
 * immediately where the position is known. Else a promise, which may reject with {@link HubbubError} `UNAVAILABLE`.
 */
export type JoinFeed = (feed: RoomFeed, joining: Joining) => Recovery | undefined | Promise<Recovery | undefined>;

export function createJoinFeed(options: JoinFeedOptions): JoinFeed {
  return (feed, joining) => {
    const { position } = feed;
    if (position === undefined || joining.since !== undefined) return joinFeed(feed, joining, options);
    if (!joining.isStillValid()) return undefined;
    joining.announce?.(position);
    joining.joinTopic();
    return position;
  };
}

async function joinFeed(feed: RoomFeed, joining: Joining, options: JoinFeedOptions): Promise<Recovery | undefined> {
  const { session, isStillValid } = joining;
  if (feed.position === undefined) await feed.refresh();
  let confirmed = false;
  let drainedMs = 0;
  let hasTurn = false;
  for (;;) {
    if (!isStillValid()) return undefined;
    const position = feed.position;
    if (position === undefined) throw new HubbubError('UNAVAILABLE', 'The history cannot be read now.');
    const named = joining.since === 'last_message' ? before(position) : joining.since;
    const join = (recovery: Recovery, frames: readonly Uint8Array[] = []): Recovery => {
      joining.announce?.(recovery);
      session.sendAll(frames);
      joining.joinTopic();
      if (named !== undefined && joining.since !== 'last_message')
        options.metrics.recovery(recovery.reason ?? 'recovered');
      return recovery;
    };
    const joinWithGap = (reason: GapReason): Recovery => join({ ...position, recovered: false, reason });
    if (named === undefined) return join(position);
    const since = feed.locate(named);
    if (since === undefined || since.offset > position.offset) {
      // The session comes from an edge that is ahead of this one, or the history was lost.
      if (confirmed) return joinWithGap('new_epoch');
      confirmed = true;
      await feed.confirm();
      continue;
    }
    // Decided without a read: a position that cannot be replayed costs no memory.
    if (position.offset - since.offset > options.maxReplayMessages) return joinWithGap('too_many');
    // In a resume of many rooms, the earlier rooms may have used up the budget.
    if (position.offset > since.offset && session.cost?.bytesOut.refusal(feed.room)) return joinWithGap('too_many');
    if (feed.replay.isTooLarge(since.offset)) return joinWithGap('too_many');
    const window = feed.replay.window();
    // Messages that the history has dropped are missing; the others are replayed.
    const start = feed.replay.lacks(since.offset) ? Math.max(since.offset, window.from) : since.offset;
    if (window.from > start) {
      await feed.replay.extend(since.offset);
      continue;
    }
    const replay = window.since(start, session);
    const crossing = named.epoch === since.epoch ? [] : [crossingFrame(feed.room, since, named.epoch, session)];
    const frames = [...crossing, ...replay.frames].filter(frame => frame.length > 0);
    const { bytes } = replay;
    if (bytes > options.maxBufferedBytes) return joinWithGap('too_many');
    // Earlier replays may still be buffered for a slow reader.
    if (bytes > options.maxBufferedBytes - session.socket.getBufferedAmount()) {
      if (drainedMs >= DRAIN_TIMEOUT_MS) return joinWithGap('too_many');
      do {
        drainedMs += DRAIN_POLL_MS;
        await sleep(DRAIN_POLL_MS);
        if (!isStillValid()) return undefined;
        // An inner loop: the window is not kept for a slow reader.
      } while (bytes > options.maxBufferedBytes - session.socket.getBufferedAmount() && drainedMs < DRAIN_TIMEOUT_MS);
      continue;
    }
    const turn = hasTurn ? undefined : options.turns.take(bytes);
    if (turn !== undefined) {
      await turn;
      hasTurn = true;
      continue;
    }
    session.cost?.bytesOut.charge(bytes, feed.room);
    if (start === since.offset) return join({ ...position, recovered: true }, frames);
    const replayed = replay.frames.length > 0 ? { replayed_from: start + 1 } : {};
    return join({ ...position, recovered: false, reason: 'too_old', ...replayed }, frames);
  }
}

/** The position of a session that has everything but the last message. */
function before({ epoch, offset }: Position): Position {
  return { epoch, offset: Math.max(0, offset - 1) };
}

/** First in a replay to a client that names a position of an earlier epoch. */
function crossingFrame(room: string, position: Position, previousEpoch: string, { encoding }: Session): Uint8Array {
  return encodeBytesFor(encoding, roomOffsetFrame(room, position, previousEpoch));
}
