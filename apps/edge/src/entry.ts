/** How a session steps onto a room's feed: what it misses first, and from then on what is live, without an await between. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type GapReason, HubbubError, type Position, type Recovery } from '@hubbub/protocol';
import type { RoomMetrics } from './recovery-metrics.js';
import type { ReplayTurns } from './replay-turns.js';
import type { RoomFeed } from './room-feed.js';
import type { Session } from './session.js';

export interface EntryOptions {
  readonly maxReplayMessages: number;
  readonly maxBufferedBytes: number;
  readonly metrics: RoomMetrics;
  /** Shared by all who recover on this edge. */
  readonly turns: ReplayTurns;
}

export interface Entry {
  readonly session: Session;
  /** The last message that the session has. */
  readonly since: Position | undefined;
  /** Makes it a member: what is delivered from then on reaches it. */
  readonly letIn: () => void;
  /** Whether it is still to come in, asked after every await. */
  readonly isWanted: () => boolean;
}

const DRAIN_POLL_MS = 10;
const DRAIN_TIMEOUT_MS = 5000;

/** `undefined` when it was not wanted any more. @throws {HubbubError} `UNAVAILABLE` */
export async function enter(feed: RoomFeed, entry: Entry, options: EntryOptions): Promise<Recovery | undefined> {
  const { session, since, letIn, isWanted } = entry;
  if (feed.position === undefined) await feed.refresh();
  let refreshed = false;
  let drainedMs = 0;
  let hasTurn = false;
  for (;;) {
    if (!isWanted()) return undefined;
    const position = feed.position;
    if (position === undefined) throw new HubbubError('UNAVAILABLE', 'The history cannot be read now.');
    const answer = (reason?: GapReason): Recovery => {
      letIn();
      if (since === undefined) return position;
      options.metrics.recovery(reason ?? 'recovered');
      return { ...position, recovered: reason === undefined, ...(reason !== undefined && { reason }) };
    };
    if (since === undefined) return answer();
    if (since.epoch !== position.epoch || since.offset > position.offset) {
      // It comes from an edge that is ahead of this one, or its history is lost.
      if (refreshed) return answer('new_epoch');
      refreshed = true;
      await feed.refresh();
      continue;
    }
    if (position.offset - since.offset > options.maxReplayMessages) return answer('too_many');
    // A resume of many rooms began with a budget that the rooms before this one have used up.
    if (position.offset > since.offset && session.cost?.bytesOut.refusal(feed.room)) return answer('too_many');
    const window = feed.window();
    if (feed.lacks(since.offset)) return answer('too_old');
    if (window.from > since.offset) {
      await feed.extendWindow(since.offset);
      continue;
    }
    const { frames, bytes } = window.since(since.offset, session.encoding);
    const room = options.maxBufferedBytes - session.socket.getBufferedAmount();
    if (bytes > room) {
      // Rooms that were replayed before this one are still on their way to a slow reader.
      if (bytes > options.maxBufferedBytes || drainedMs >= DRAIN_TIMEOUT_MS) return answer('too_many');
      drainedMs += DRAIN_POLL_MS;
      await sleep(DRAIN_POLL_MS);
      continue;
    }
    const turn = hasTurn ? undefined : options.turns.take(bytes);
    if (turn !== undefined) {
      await turn;
      hasTurn = true;
      continue;
    }
    session.sendAll(frames);
    session.cost?.bytesOut.charge(bytes, feed.room);
    return answer();
  }
}
