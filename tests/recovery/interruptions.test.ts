/** A room with history is whole, once and in order, whatever breaks between Redis and its members (invariants 1, 2). */

import { eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { startRedis } from '../support/redis.js';
import { enter, expectWhole, joinAt, messages, metric, position, resume, startWithHistory, stream } from './support.js';

const QUICK = {
  HUBBUB_PROBE_INTERVAL_MS: '100',
  HUBBUB_PROBE_TIMEOUT_MS: '1000',
  HUBBUB_REDIS_COMMAND_TIMEOUT_MS: '1000',
  HUBBUB_HISTORY_CHECK_INTERVAL_MS: '200',
};
const ROOM = 'chat:general';

async function chat(edges = 2) {
  const redis = await startRedis({ own: true, args: ['--enable-protected-configs', 'yes'] });
  const cluster = await startWithHistory({ redis, edges, env: QUICK });
  const writer = await enter(cluster, cluster.edge(0), 'writer');
  const readers = await Promise.all(
    cluster.edges.flatMap((edge, at) => [
      enter(cluster, edge, `json-${at}`),
      enter(cluster, edge, `msgpack-${at}`, 'msgpack'),
    ]),
  );
  const start = position(await joinAt(writer, ROOM));
  for (const reader of readers) await joinAt(reader, ROOM);
  return { redis, cluster, writer, readers, start };
}

describe('under a stream of messages', () => {
  test('the subscriptions are killed again and again: every member has each message exactly once, in order', async () => {
    const { redis, cluster, writer, readers } = await chat();
    const messagesOfWriter = stream(writer, ROOM);
    for (let time = 1; time <= 5; time++) {
      await redis.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
      const seen = messagesOfWriter.sent;
      await eventually(() => messagesOfWriter.sent > seen + 100);
      await eventually(async () => (await metric(cluster.edge(0), 'hubbub_edge_interruptions_total')) >= time);
    }
    const last = await messagesOfWriter.stop();
    for (const reader of readers) {
      await eventually(() => messages(reader, ROOM).at(-1)?.offset === last, {
        describe: `${reader.name} has ${last}`,
      });
      expectWhole(reader, ROOM, 0, last);
      await reader.noFrame('room_gap');
    }
    expect(messages(writer, ROOM)).toEqual([]);
    expect(await metric(cluster.edge(1), 'hubbub_edge_catch_ups_total')).toBeGreaterThan(0);
  });

  test('Redis is restarted with its data: nothing is lost or doubled', async () => {
    const { redis, writer, readers, start } = await chat();
    const before = stream(writer, ROOM);
    await eventually(() => before.sent > 100);
    await before.stop(); // A write after the save would be lost: that is the next story.
    await redis.restart({ keepData: true });
    const after = stream(writer, ROOM, before.sent);
    await eventually(() => after.sent > before.sent + 100);
    const last = await after.stop();
    expect(last).toBe(after.sent);
    for (const reader of readers) {
      await eventually(() => messages(reader, ROOM).at(-1)?.offset === last);
      expectWhole(reader, ROOM, start.offset, last);
      await reader.noFrame('room_gap');
    }
  });

  test('Redis restarts with older data, under load: members get a new epoch, and no message is silently replaced', async () => {
    const { redis, writer, readers, start } = await chat();
    const written = stream(writer, ROOM);
    await eventually(() => written.sent > 20);
    await redis.cli('SAVE');
    const saved = written.sent;
    await eventually(() => written.sent > saved + 20);
    await redis.cli('CONFIG', 'SET', 'dbfilename', 'later.rdb'); // Not what the next start reads.
    await redis.restart({ keepData: true });
    const seen = written.sent;
    await eventually(() => written.sent > seen + 50);
    const last = await written.stop();
    for (const reader of readers) {
      await eventually(() => messages(reader, ROOM).at(-1)?.payload?.n === written.sent);
      const gap = await reader.nextFrame('room_gap');
      expect(gap.payload).toMatchObject({ reason: 'new_epoch' });
      expect(gap.payload?.epoch).not.toBe(start.epoch);
      expect(messages(reader, ROOM).at(-1)?.offset).toBe(last);
    }
  });

  test('Redis loses its data: the new epoch is reported, and from there on every message arrives', async () => {
    const { redis, writer, readers, start } = await chat();
    const messagesOfWriter = stream(writer, ROOM);
    await eventually(() => messagesOfWriter.sent > 50);
    await redis.restart();
    const seen = messagesOfWriter.sent;
    await eventually(() => messagesOfWriter.sent > seen + 50);
    const last = await messagesOfWriter.stop();
    for (const reader of readers) {
      const gap = await reader.nextFrame('room_gap');
      expect(gap.payload).toMatchObject({ room_id: ROOM, reason: 'new_epoch', offset: 0 });
      expect(gap.payload?.epoch).not.toBe(start.epoch);
      // Only what follows the gap: the old epoch may have ended with the same offset.
      const since = () => reader.frames.slice(reader.frames.indexOf(gap)).filter(({ type }) => type === 'new_message');
      await eventually(() => since().at(-1)?.offset === last);
      const after = since();
      expect(after.map(({ offset }) => offset)).toEqual(Array.from({ length: last }, (_, index) => index + 1));
    }
  });

  test('a client is cut off and resumes at the other edge, again and again, and misses nothing', async () => {
    const { cluster, writer, start } = await chat();
    const messagesOfWriter = stream(writer, ROOM);
    let at = start;
    for (let time = 0; time < 8; time++) {
      const client = await enter(cluster, cluster.edge(time % 2), 'mover', time % 3 === 0 ? 'msgpack' : 'json');
      const [answer] = await resume(client, { [ROOM]: at });
      expect(answer).toMatchObject({ room_id: ROOM, epoch: start.epoch, recovered: true });
      await eventually(() => messages(client, ROOM).length > 20);
      await client.terminate();
      const last = messages(client, ROOM).at(-1)?.offset ?? 0;
      expectWhole(client, ROOM, at.offset, last);
      at = { epoch: start.epoch, offset: last };
      const seen = messagesOfWriter.sent;
      await eventually(() => messagesOfWriter.sent > seen + 20);
    }
    await messagesOfWriter.stop();
  });

  test('200 clients resume together while messages arrive: all are complete, and they share the reads', async () => {
    const { cluster, writer, readers, start } = await chat();
    for (const reader of readers) await reader.close();
    const messagesOfWriter = stream(writer, ROOM);
    await eventually(() => messagesOfWriter.sent > 100);
    const clients = await Promise.all(
      Array.from({ length: 200 }, (_, at) => enter(cluster, cluster.edge(1), `c${at}`, at % 2 ? 'msgpack' : 'json')),
    );
    await Promise.all(clients.map(client => resume(client, { [ROOM]: start })));
    const last = await messagesOfWriter.stop();
    for (const client of clients) {
      await eventually(() => messages(client, ROOM).at(-1)?.offset === last);
      expectWhole(client, ROOM, start.offset, last);
    }
    const reads = await metric(cluster.edge(1), 'hubbub_edge_history_reads_total', 'replay');
    expect(reads).toBeGreaterThan(0);
    expect(reads).toBeLessThan(20);
    expect(await metric(cluster.edge(1), 'hubbub_edge_recoveries_total', 'recovered')).toBe(200);
  });
});

test('the last message of a room is lost on the way to an edge: it still arrives', async () => {
  const { redis, cluster, writer, readers } = await chat(2);
  // Written directly, so that the edges do not hear of it.
  const say = (n: number) => writer.ask({ type: 'send_message', room: ROOM, payload: { n } });
  await say(1);
  for (const reader of readers) await reader.nextFrame({ offset: 1 });
  const [entry] = (await redis
    .connection()
    .callBuffer('XRANGE', `${redis.prefix}:history:{${ROOM}}:stream`, '-', '+')) as [[Buffer, [Buffer, Buffer]]];
  const envelope = Buffer.from(entry[1][1].toString('latin1').replace('"o":1,', '"o":2,'), 'latin1');
  await redis.connection().xadd(`${redis.prefix}:history:{${ROOM}}:stream`, '2-0', 'e', envelope);
  await redis.connection().hset(`${redis.prefix}:history:{${ROOM}}:meta`, 'offset', 2);
  for (const reader of readers) await reader.nextFrame({ type: 'new_message', offset: 2 });
  expect(await metric(cluster.edge(1), 'hubbub_edge_history_reads_total', 'check')).toBeGreaterThan(0);
});

test('a Redis that does not answer in time: the retry with the same message_id does not double the message', async () => {
  const { redis, writer, readers } = await chat();
  await redis.pause();
  cleanup(() => redis.resume());
  const message = { type: 'send_message', room: ROOM, id: 'once', message_id: 'once', payload: { n: 1 } };
  writer.send(message);
  expect(await writer.nextFrame({ id: 'once' })).toMatchObject({ type: 'error', payload: { code: 'OUTCOME_UNKNOWN' } });
  await redis.resume();
  const ack = await eventually(async () => {
    writer.send(message);
    const answer = await writer.nextFrame({ id: 'once' });
    return answer.type === 'ack' && answer;
  });
  expect(ack.offset).toBe(1);
  await writer.ask({ type: 'send_message', room: ROOM, payload: { n: 2 } });
  for (const reader of readers) {
    await eventually(() => messages(reader, ROOM).at(-1)?.offset === 2);
    expectWhole(reader, ROOM, 0, 2);
  }
});
