/** A client that does not read pending data is disconnected after a timeout; a slow reader stays. */

import { eventually, metricValue } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { startCluster } from '../support/cluster.js';
import { connect } from '../support/raw-client.js';

/** More than the kernels buffer for an unread connection, and less than the limit of a slow reader. */
const FLOOD_BYTES = 24 * 1_048_576;
const MESSAGE_BYTES = 262_144;

test('disconnects a client that never reads, although it sends; one that reads occasionally stays', async () => {
  const cluster = await startCluster({
    edges: 1,
    env: { HUBBUB_UNREAD_TIMEOUT_MS: '6000', HUBBUB_MAX_BUFFERED_BYTES: String(2 * FLOOD_BYTES) },
  });
  const edge = cluster.edge(0);
  const open = async (user: string) => {
    const client = await connect(edge.wsUrl, { name: user, token: cluster.token({ user }) });
    await client.join('general');
    client.pauseReading();
    return client;
  };
  const deaf = await open('deaf');
  const slow = await open('slow');
  const redis = cluster.redis.connection();
  const message = JSON.stringify({ type: 'filler', payload: { text: 'x'.repeat(MESSAGE_BYTES) } });
  for (let sent = 0; sent < FLOOD_BYTES; sent += MESSAGE_BYTES) {
    await redis.publish(`${cluster.redis.prefix}:room:{general}`, message);
  }
  const exceeded = () => metricValue(edge, 'hubbub_edge_limits_total{limit="unread_time"}');
  await eventually(
    async () => {
      deaf.send({ type: 'ping' });
      slow.resumeReading();
      await new Promise(resolve => setTimeout(resolve, 5));
      slow.pauseReading();
      return (await exceeded()) === 1;
    },
    { describe: 'the client that reads nothing is cut off' },
  );
  slow.resumeReading();
  await slow.ping();
  deaf.resumeReading();
  expect((await deaf.closed).code).toBe(1006);
  expect(await exceeded()).toBe(1);
  expect(await metricValue(edge, 'hubbub_edge_slow_readers_total')).toBe(0);
});
