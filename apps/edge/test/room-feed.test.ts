/** A room's feed on a history that can lose, lag and be rewritten; and sessions that step onto it. */
import { type History, MemoryCluster } from '@hubbub/broker';
import { decodeEnvelope, encodeEnvelope, jsonCodec, type Position } from '@hubbub/protocol';
import { createMetricsRegistry } from '@hubbub/runtime';
import { describe, expect, test } from 'vitest';
import { cleanup } from '../../../tests/support/cleanup.js';
import { eventually } from '../../../tests/support/eventually.js';
import { enter } from '../src/entry.js';
import { createRecoveryMetrics } from '../src/recovery-metrics.js';
import { ReplayTurns } from '../src/replay-turns.js';
import { RoomFeed } from '../src/room-feed.js';
import type { Gap } from '../src/room-position.js';
import type { Session } from '../src/session.js';
import { Slots } from '../src/slots.js';

const ROOM = 'chat:1';
let clock = 0;

async function start({ maxReplayMessages = 100, maxBufferedBytes = 100_000 } = {}) {
  const { broker, history } = new MemoryCluster().open();
  await broker.subscribe('c');
  let deaf = false;
  let reads = 0;
  const counted: History = {
    append: append => history.append(append),
    read(query) {
      reads++;
      return history.read(query);
    },
  };
  const delivered: number[] = [];
  const gaps: Gap[] = [];
  const members: number[][] = [];
  const metrics = createRecoveryMetrics(createMetricsRegistry());
  const feed = new RoomFeed(
    { name: ROOM, channel: 'c', ttlMs: 60_000 },
    {
      history: counted,
      maxReplayMessages,
      checkIntervalMs: 5000,
      slots: new Slots(4),
      metrics,
      deliver(_, { offset }) {
        delivered.push(offset);
        for (const member of members) member.push(offset);
      },
      tellGap: (_, gap) => gaps.push(gap),
    },
  );
  cleanup(() => feed.close());
  broker.onEnvelope((_, bytes) => {
    const envelope = decodeEnvelope(bytes);
    if (deaf || envelope?.epoch === undefined || envelope.offset === undefined) return;
    feed.arrived({ ...envelope, epoch: envelope.epoch, offset: envelope.offset });
  });
  const say = (known?: Position) => {
    const body = jsonCodec.encode({ type: 'new_message', payload: { n: clock } });
    const envelope = encodeEnvelope({ encoding: 'json', publishedAtMs: ++clock }, body);
    return history.append({ room: ROOM, channel: 'c', envelope, size: 50, ttlMs: 60_000, known });
  };
  const options = { maxReplayMessages, maxBufferedBytes, metrics, turns: new ReplayTurns() };
  return {
    feed,
    history,
    delivered,
    gaps,
    say,
    reads: () => reads,
    setDeaf: (value: boolean) => {
      deaf = value;
    },
    /** A session that comes back; it hears what it is sent and, once it is in, what is delivered. */
    async comeBack(since: Position | undefined) {
      const heard: number[] = [];
      const session = {
        encoding: 'json',
        sendAll(frames: readonly Uint8Array[]) {
          for (const frame of frames) heard.push((jsonCodec.decode(frame) as { offset: number }).offset);
        },
        socket: { getBufferedAmount: () => 0 },
      } as unknown as Session;
      const letIn = () => void members.push(heard);
      return { heard, answer: await enter(feed, { session, since, letIn, isWanted: () => true }, options) };
    },
  };
}

describe('a feed', () => {
  test('delivers what came while it was deaf, once its position is in doubt', async () => {
    const { feed, say, setDeaf, delivered, gaps } = await start();
    await feed.refresh();
    await say();
    setDeaf(true);
    await say();
    setDeaf(false);
    feed.doubt();
    await say();
    await eventually(() => delivered.length === 3);
    expect([delivered, gaps]).toEqual([[1, 2, 3], []]);
  });

  test('negative control: without the doubt a lost end of the room is silence; the check finds it', async () => {
    const { feed, say, setDeaf, delivered } = await start();
    await feed.refresh();
    await say();
    await eventually(() => delivered.length === 1);
    await feed.check();
    setDeaf(true);
    await say();
    await new Promise(resolve => setImmediate(resolve));
    expect(delivered).toEqual([1]);
    await feed.check();
    await eventually(() => delivered.length === 2);
  });

  test('compares ever more rarely while nothing comes, and begins anew after a message', async () => {
    const { feed, say, delivered, reads } = await start();
    await feed.refresh();
    const before = reads();
    await feed.check(); // Where it is; it is silent from here on.
    for (let round = 1; round <= 64; round++) await feed.check();
    expect(reads() - before, 'in rounds 1, 2, 4, 8, and every 12th: the history lives so long').toBe(9);
    await say();
    await eventually(() => delivered.length === 1);
    await feed.check();
    const talked = reads();
    await feed.check();
    expect(reads() - talked, 'in the first round after the message').toBe(1);
  });

  test('a history that was written again behind its back is told as a new epoch', async () => {
    const { feed, say, setDeaf, history, delivered, gaps } = await start();
    await feed.refresh();
    const { epoch } = await say();
    await eventually(() => delivered.length === 1);
    setDeaf(true);
    // The same epoch and offset come to name another message, as after a restart with older data.
    const rewritten = encodeEnvelope(
      { encoding: 'json', publishedAtMs: ++clock, epoch, offset: 1 },
      Buffer.from('{"type":"x"}'),
    );
    const read = history.read.bind(history);
    history.read = async query => {
      const page = await read(query);
      return {
        ...page,
        entries: page.entries.map(entry => (page.epoch === epoch ? { ...entry, envelope: rewritten } : entry)),
      };
    };
    feed.doubt();
    await eventually(() => gaps.length === 1);
    expect(gaps[0]).toMatchObject({ reason: 'new_epoch' });
    expect(gaps[0]?.position?.epoch).not.toBe(epoch);
  });

  test('closed while it reads, it delivers nothing more', async () => {
    const { feed, say, setDeaf, delivered } = await start();
    await feed.refresh();
    setDeaf(true);
    await say();
    feed.doubt();
    feed.close();
    await new Promise(resolve => setTimeout(resolve, 20));
    expect(delivered).toEqual([]);
  });
});

describe('a session that comes back', () => {
  test('gets what it missed and then what is live, while messages pour in; a hundred share the reads', async () => {
    const { feed, say, reads, comeBack } = await start();
    await feed.refresh();
    const { epoch } = await say();
    for (let n = 2; n <= 20; n++) await say();
    const before = reads();
    const coming = Array.from({ length: 100 }, (_, index) => comeBack({ epoch, offset: index % 10 }));
    for (let n = 21; n <= 40; n++) await say();
    const sessions = await Promise.all(coming);
    await say();
    await eventually(() => sessions.every(({ heard }) => heard.at(-1) === 41));
    sessions.forEach(({ heard, answer }, index) => {
      expect(answer).toMatchObject({ recovered: true });
      expect(heard).toEqual(Array.from({ length: 41 - (index % 10) }, (_, at) => (index % 10) + at + 1));
    });
    expect(reads() - before).toBeLessThanOrEqual(2);
  });

  test('from an edge that is ahead of this one, waits until this one has caught up', async () => {
    const { feed, say, setDeaf, delivered, comeBack } = await start();
    await feed.refresh();
    setDeaf(true);
    const position = await say();
    const { answer, heard } = await comeBack({ epoch: position.epoch, offset: 1 });
    expect([answer, heard, delivered]).toEqual([{ epoch: position.epoch, offset: 1, recovered: true }, [], [1]]);
  });

  test('that misses too many messages, too many bytes, or what is gone is told so', async () => {
    for (const [limits, since, reason] of [
      [{ maxReplayMessages: 5 }, 0, 'too_many'],
      [{ maxBufferedBytes: 100 }, 55, 'too_many'],
      [{}, 3, 'too_old'],
    ] as const) {
      const { feed, say, comeBack } = await start(limits);
      await feed.refresh();
      const { epoch } = await say();
      for (let n = 2; n <= 60; n++) await say();
      const { answer, heard } = await comeBack({ epoch, offset: since });
      expect(answer).toEqual({ epoch, offset: 60, recovered: false, reason });
      expect(heard).toEqual([]);
    }
  });
});
