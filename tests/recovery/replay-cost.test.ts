/** The cost of resuming old positions for an edge: it decides by sizes, and keeps no message that it will not send. */
import { openRedisBrokerClient } from '@hubbub/broker';
import { Channels, encodeEnvelope, jsonCodec } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { enter, joinAt, metric, position, resume, startWithHistory } from './support.js';

const ROOMS = Number(process.env.MEASURE_ROOMS ?? 10);
const MESSAGES = Number(process.env.MEASURE_MESSAGES ?? 300);
const TEXT = 'x'.repeat(4000);

test('a resume of old positions in rooms with long histories is refused without reading a message', async () => {
  const cluster = await startWithHistory({ edges: 1 });
  const edge = cluster.edge(0);
  const brokerClient = openRedisBrokerClient(cluster.redis.url, {
    prefix: cluster.redis.prefix,
    commandTimeoutMs: 20_000,
    nodeLeaseMs: 8000,
    onError: () => {},
  });
  cleanup(() => brokerClient.close());
  const client = await enter(cluster, edge, 'client');
  const positions: Record<string, { epoch: string; offset: number }> = {};
  for (let n = 0; n < ROOMS; n++) positions[`chat:cost-${n}`] = position(await joinAt(client, `chat:cost-${n}`));
  await client.close();
  const body = jsonCodec.encode({ type: 'new_message', payload: { text: TEXT } });
  for (const room of Object.keys(positions)) {
    const envelope = encodeEnvelope({ encoding: 'json', publishedAtMs: Date.now() }, body);
    const append = {
      room,
      channel: new Channels(cluster.redis.prefix).room(room),
      envelope,
      size: 5000,
      ttlMs: 300_000,
    };
    await eventually(() => brokerClient.history.append(append).then(() => true));
    await Promise.all(Array.from({ length: MESSAGES - 1 }, () => brokerClient.history.append(append)));
  }
  const before = await metric(edge, 'process_resident_memory_bytes');
  const attacker = await enter(cluster, edge, 'attacker');
  const answers = await resume(attacker, positions);
  const grownMiB = ((await metric(edge, 'process_resident_memory_bytes')) - before) / 1_048_576;
  if (process.env.MEASURE_ROOMS !== undefined) console.log(`grown by ${grownMiB.toFixed(1)} MiB`);
  for (const answer of answers) {
    expect(answer).toMatchObject({ offset: MESSAGES, recovered: false, reason: 'too_many' });
  }
  expect(await metric(edge, 'hubbub_edge_history_reads_total', 'replay')).toBe(ROOMS);
  expect(await metric(edge, 'hubbub_edge_replay_bytes')).toBe(0);
});
