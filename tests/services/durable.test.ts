/** A durable namespace: a client, a service and a back end get no acknowledgment before a replica has their message. */
import { connectHubbub } from '@hubbub/server';
import { eventually, metricValue } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { startApi } from '../api/api-process.js';
import { examine } from '../cli/examination.js';
import { withNamespaces } from '../presence/config-file.js';
import { cleanup } from '../support/cleanup.js';
import { startCluster } from '../support/cluster.js';
import { connect } from '../support/raw-client.js';
import { startRedis } from '../support/redis.js';

test('every publisher learns that no replica has its message, and that one has it when the replica is back', async () => {
  const primary = await startRedis({ own: true });
  const settings = {
    ...withNamespaces({ orders: { public: true, historySize: 100, durable: true } }),
    HUBBUB_DURABLE_TIMEOUT_MS: '300',
  };
  const advice = async () => (await examine({ ...settings, HUBBUB_REDIS_URL: primary.url })).of('Redis replicas');
  expect(await advice()).toMatchObject({ verdict: 'fail', found: expect.stringContaining('orders') });
  const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(primary.port)] });
  await eventually(async () => (await advice())?.verdict === 'ok', { describe: 'doctor finds the replica' });

  const cluster = await startCluster({ redis: primary, edges: 1, env: settings });
  const api = await startApi(cluster, { env: settings });
  const service = connectHubbub({ redisUrl: primary.url, redisPrefix: primary.prefix, timeoutMs: 500 });
  cleanup(() => service.close());
  const client = await connect(cluster.edge(0).wsUrl, { token: cluster.token({ user: 'ada' }) });
  await client.join('orders:1');
  const publishers = {
    client: async (key: string) => {
      const frame = { type: 'send_message', room: 'orders:1', message_id: key, payload: {} };
      const { type, payload } = await client.ask(frame);
      return type === 'ack' ? 'published' : payload?.code;
    },
    service: (key: string) =>
      service.publishToRoom('orders:1', { type: 'order.paid', idempotencyKey: key }).then(
        () => 'published',
        ({ code }) => code,
      ),
    backEnd: async (key: string) => {
      const { status, body } = await api.post('/rooms/orders:1/messages', { type: 'a' }, { 'idempotency-key': key });
      return status === 200 ? 'published' : body.code;
    },
  };
  const expectOutcome = async (key: string, outcome: string) => {
    for (const [name, publish] of Object.entries(publishers)) {
      const isSo = async () => (await publish(`${key}-${name}`)) === outcome;
      await eventually(isSo, { describe: `the outcome for the ${name} is ${outcome}` });
    }
  };
  await expectOutcome('first', 'published');
  await replica.pause();
  for (const [name, publish] of Object.entries(publishers)) {
    expect(await publish(`second-${name}`), name).toBe('OUTCOME_UNKNOWN');
  }
  expect(await metricValue(cluster.edge(0), 'hubbub_durable_unconfirmed_total')).toBeGreaterThan(0);
  await replica.resume();
  await expectOutcome('second', 'published');
  const history = await client.ask({ type: 'history', room: 'orders:1' });
  expect(history.payload?.messages, 'each one once').toHaveLength(6);
});
