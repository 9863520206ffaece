/** The capacity of one edge: its sessions, and the bytes that wait for all slow readers together. */
import { eventually, metricValue } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { startCluster } from '../support/cluster.js';
import { connect, UpgradeRefused } from '../support/raw-client.js';

const MESSAGE_BYTES = 32_768;
const SLOW_READERS = 8;
const MAX_TOTAL_BYTES = 4 * 1_048_576;

test('slow readers that stay below their own bound cannot fill the edge: those with the most are disconnected', async () => {
  const cluster = await startCluster({
    edges: 1,
    env: {
      HUBBUB_MAX_TOTAL_BUFFERED_BYTES: String(MAX_TOTAL_BYTES),
      HUBBUB_MAX_BUFFERED_BYTES: String(64 * 1_048_576),
      HUBBUB_UNREAD_TIMEOUT_MS: '600000',
    },
  });
  const edge = cluster.edge(0);
  const person = (name: string) => connect(edge.wsUrl, { name, token: cluster.token({ user: name }) });
  const reader = await person('reader');
  await reader.join('general');
  const slow = await Promise.all(
    Array.from({ length: SLOW_READERS }, async (_, n) => {
      const member = await person(`slow-${n}`);
      await member.join('general');
      member.pauseReading();
      return member;
    }),
  );
  const redis = cluster.redis.connection();
  const channel = `${cluster.redis.prefix}:room:{general}`;
  const filler = 'x'.repeat(MESSAGE_BYTES);
  const disconnected = () => metricValue(edge, 'hubbub_edge_limits_total{limit="total_buffered_bytes"}');
  for (let sent = 1; (await disconnected()) === 0; sent++) {
    await redis.publish(channel, JSON.stringify({ type: 'number', id: `n${sent}`, payload: { filler } }));
    await reader.nextFrame({ type: 'number', id: `n${sent}` });
  }
  await eventually(async () => (await metricValue(edge, 'hubbub_edge_buffered_bytes')) <= MAX_TOTAL_BYTES);
  const kept = SLOW_READERS - (await disconnected());
  expect(kept, 'as many slow readers as fit stay').toBeGreaterThan(0);
  for (const member of slow) member.resumeReading();
  const closings = await Promise.all(
    slow.slice(0, SLOW_READERS).map(member => Promise.race([member.closed, member.join('also')])),
  );
  expect(closings.filter(closing => closing !== undefined && 'code' in closing && closing.code === 1006)).toHaveLength(
    SLOW_READERS - kept,
  );
});

test('an edge with its number of sessions answers 503 with a delay, and admits again when one has left', async () => {
  const cluster = await startCluster({ edges: 1, env: { HUBBUB_MAX_SESSIONS: '2' } });
  const edge = cluster.edge(0);
  const enter = (user: string) => connect(edge.wsUrl, { name: user, token: cluster.token({ user }) });
  const [alice] = [await enter('alice'), await enter('bob')];
  const refusal = await enter('carol').catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(UpgradeRefused);
  const { status, headers, body } = (refusal as UpgradeRefused).refusal;
  expect(status).toBe(503);
  expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
  expect(JSON.parse(body)).toMatchObject({ code: 'UNAVAILABLE' });
  expect(await metricValue(edge, 'hubbub_edge_session_limit')).toBe(2);
  await alice?.close();
  await eventually(() => enter('carol'));
});
