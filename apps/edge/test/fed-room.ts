/** A room's feed on an in-memory history that can lose, lag and stall, and sessions that join it. */
import { type History, type HistoryQuery, MemoryCluster } from '@hubbub/broker';
import {
  decodeEnvelope,
  type EnvelopeHeader,
  encodeEnvelope,
  type Frame,
  jsonCodec,
  type Position,
} from '@hubbub/protocol';
import { createMetricsRegistry } from '@hubbub/runtime';
import pLimit from 'p-limit';
import { cleanup } from '../../../tests/support/cleanup.js';
import { createJoinFeed } from '../src/history/join-feed.js';
import { createRecoveryMetrics } from '../src/history/recovery-metrics.js';
import { ReplayMemory } from '../src/history/replay-memory.js';
import { ReplayTurns } from '../src/history/replay-turns.js';
import { RoomFeed } from '../src/history/room-feed.js';
import type { Crossing, Gap } from '../src/history/room-position.js';
import type { Session } from '../src/sessions/session.js';

export const ROOM = 'chat:1';
const CHANNEL = 'c';
let clock = 0;

export interface FedRoomOptions {
  readonly maxReplayMessages?: number;
  readonly maxBufferedBytes?: number;
  readonly maxReplayBytes?: number;
  readonly historySize?: number;
}

export interface VisitOptions {
  readonly user?: string;
  readonly id?: string;
  readonly isStillValid?: () => boolean;
  readonly bufferedBytes?: () => number;
  /** Refuses a replay with a reason, or is charged for it. */
  readonly bytesOut?: { refusal(room: string): unknown; charge(bytes: number, room: string): void };
}

export async function startFedRoom({
  maxReplayMessages = 100,
  maxBufferedBytes = 100_000,
  maxReplayBytes = 10_000_000,
  historySize = 50,
}: FedRoomOptions = {}) {
  const { broker, history: all } = new MemoryCluster().open();
  /** Histories that the room had before: their loss leaves the next one empty. */
  let lost = 0;
  const room = (): string => `${ROOM}-${lost}`;
  const history: History = {
    append: append => all.append({ ...append, room: room() }),
    read: query => all.read({ ...query, room: room() }),
  };
  await broker.subscribe(CHANNEL);
  let deaf = false;
  let reads = 0;
  /** Set while reads of one kind are held back; reads with `limit` 0 fetch only the position. */
  let held: { readonly matches: (query: HistoryQuery) => boolean; readonly until: Promise<void> } | undefined;
  const counted: History = {
    append: append => history.append(append),
    async read(query) {
      reads++;
      const page = await history.read(query);
      if (held?.matches(query) === true) await held.until;
      return page;
    },
  };
  const delivered: number[] = [];
  const gaps: Gap[] = [];
  const crossings: Crossing[] = [];
  const members: unknown[][] = [];
  const registry = createMetricsRegistry();
  const metrics = createRecoveryMetrics(registry);
  const memory = new ReplayMemory(maxReplayBytes);
  const feed = new RoomFeed(
    { name: ROOM, channel: CHANNEL, ttlMs: 60_000 },
    {
      history: counted,
      maxReplayMessages,
      maxReplayBytes: Math.min(maxBufferedBytes, memory.maxBytesPerRoom),
      replayMemory: memory,
      checkIntervalMs: 5000,
      limitReads: pLimit(4),
      metrics,
      deliver(_, { offset }) {
        delivered.push(offset);
        for (const member of members) member.push(offset);
      },
      reportGap: (_, gap) => gaps.push(gap),
      reportCrossing: (_, crossing) => crossings.push(crossing),
    },
  );
  cleanup(() => feed.close());
  broker.onEnvelope((_, bytes) => {
    const envelope = decodeEnvelope(bytes);
    if (deaf || envelope?.epoch === undefined || envelope.offset === undefined) return;
    feed.arrived({ ...envelope, epoch: envelope.epoch, offset: envelope.offset });
  });
  const joinFeed = createJoinFeed({ maxReplayMessages, maxBufferedBytes, metrics, turns: new ReplayTurns() });

  /** Resolves when the broker has delivered the message. */
  async function publish(
    more: Partial<EnvelopeHeader> = {},
    { size = 0, known }: { size?: number; known?: Position } = {},
  ) {
    const body = jsonCodec.encode({ type: 'new_message', payload: { n: clock, text: 'x'.repeat(size) } });
    const envelope = encodeEnvelope({ encoding: 'json', publishedAtMs: ++clock, ...more }, body);
    const append = { room: ROOM, channel: CHANNEL, envelope, size: historySize, ttlMs: 60_000, known };
    const { epoch, offset } = await history.append(append);
    await new Promise(setImmediate);
    return { epoch, offset };
  }

  return {
    feed,
    history,
    memory,
    delivered,
    gaps,
    crossings,
    members,
    publish,
    async publishMany(count: number, size = 0) {
      for (let n = 1; n < count; n++) await publish({}, { size });
      return await publish({}, { size });
    },
    reads: () => reads,
    /** A line of the edge's metrics. */
    async metric(line: string): Promise<string | undefined> {
      return (await registry.metrics()).split('\n').find(found => found.startsWith(`${line} `));
    },
    setDeaf(value: boolean) {
      deaf = value;
    },
    /** Holds matching reads back until the returned function is called; they return the state of the call. */
    holdReads(matches: (query: HistoryQuery) => boolean): () => void {
      let release = (): void => {};
      held = { matches, until: new Promise(resolve => (release = resolve)) };
      return () => {
        held = undefined;
        release();
      };
    },
    /** Stores an entry that no edge can decode, in its place in the history. */
    async publishUnreadable() {
      const position = await publish();
      const { entries } = await history.read({ room: ROOM, ttlMs: 60_000, limit: 1, from: 'newest' });
      entries[0]?.envelope.fill(0);
      return position;
    },
    /** Loses the history: a new epoch begins. */
    async loseHistory() {
      lost++;
      return await history.read({ room: ROOM, ttlMs: 60_000, limit: 0 });
    },
    /** Continues in a new epoch; `lost` messages of the old one were published before, and are not in the history. */
    async beginEpoch({ lost: count = 1 } = {}) {
      const { epoch, offset } = await history.read({ room: ROOM, ttlMs: 60_000, limit: 0 });
      return await history.read({ room: ROOM, ttlMs: 60_000, limit: 0, known: { epoch, offset: offset + count } });
    },
    /** A session that reconnects. `heard` has the replayed offsets and, once it is a member, the delivered ones. */
    visit(since: Position | undefined, visitor: VisitOptions = {}) {
      const heard: unknown[] = [];
      const { user = 'ada', id = 's1', isStillValid = () => true, bufferedBytes = () => 0, bytesOut } = visitor;
      const session = {
        id,
        user: { id: user, name: user },
        encoding: 'json',
        sendAll(frames: readonly Uint8Array[]) {
          for (const bytes of frames) {
            const frame = jsonCodec.decode(bytes) as Frame;
            heard.push(frame.type === 'new_message' ? frame.offset : frame.type);
          }
        },
        socket: { getBufferedAmount: bufferedBytes },
        cost: bytesOut && { bytesOut },
      } as unknown as Session;
      const joinTopic = () => void members.push(heard);
      return { heard, answer: joinFeed(feed, { session, since, joinTopic, isStillValid }) };
    },
  };
}
