/** Revocations and blocks while Redis fails: edges put back what it lost, or refuse what they cannot check. */
import { connectHubbub } from '@hubbub/server';
import { eventually, signToken } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { startCluster } from '../support/cluster.js';
import { connect, connectRefused } from '../support/raw-client.js';
import { startRedis } from '../support/redis.js';

const token = (user: string) => signToken({ user });

test('edges restore what Redis lost, for edges that start later', async () => {
  const redis = await startRedis({ own: true });
  const own = await startCluster({ edges: 1, redis });
  const hubbub = connectHubbub({ redisUrl: redis.url, redisPrefix: redis.prefix });
  cleanup(() => hubbub.close());
  const old = token('u1');
  await hubbub.revokeTokens('u1');
  await eventually(() => connectRefused(own.edge(0).wsUrl, { token: old }).catch(() => undefined));
  await redis.cli('FLUSHALL');
  await eventually(async () => (await redis.cli('EXISTS', `${redis.prefix}:{revocations}:entries`)) === '1');
  const started = await own.addEdge();
  expect(await connectRefused(started.wsUrl, { token: old })).toMatchObject({ status: 401 });
});

test('edges put back what an older backup lacks, and withdrawn revocations return with it', async () => {
  const redis = await startRedis({ own: true });
  const own = await startCluster({ edges: 1, redis });
  const [withdrawn, later] = ['withdrawn', 'later'];
  const hubbub = connectHubbub({ redisUrl: redis.url, redisPrefix: redis.prefix });
  cleanup(() => hubbub.close());
  const isRefused = (user: string, { wsUrl }: { wsUrl: string }) =>
    connectRefused(wsUrl, { token: token(user) }).catch(() => undefined);
  await hubbub.blockUser(withdrawn, new Date(Date.now() + 3_600_000));
  await eventually(() => isRefused(withdrawn, own.edge(0)));
  const commands = redis.connection();
  const keys = await commands.keys(`${redis.prefix}:{revocations}:*`);
  const backup = await Promise.all(keys.map(async key => [key, await commands.dumpBuffer(key)] as const));

  await hubbub.unblockUser(withdrawn);
  await hubbub.blockUser(later, new Date(Date.now() + 3_600_000));
  await eventually(() => isRefused(later, own.edge(0)));
  for (const [key, dump] of backup) await commands.restore(key, 3_600_000, dump ?? '', 'REPLACE');

  await eventually(() => isRefused(withdrawn, own.edge(0)), { describe: 'the backup has the block' });
  const started = await own.addEdge();
  await eventually(() => isRefused(later, started), { describe: 'the edge has put the newer block back' });
});

test('an edge that must know the revocations refuses handshakes while Redis is away, keeps its sessions, and recovers', async () => {
  const redis = await startRedis({ own: true });
  const strict = await startCluster({ edges: 1, redis, env: { HUBBUB_REVOCATIONS_MAX_AGE_MS: '1000' } });
  const session = await connect(strict.edge(0).wsUrl, { token: token('u1') });
  await session.nextFrame('welcome');
  await redis.pause();
  const refusal = await eventually(() =>
    connectRefused(strict.edge(0).wsUrl, { token: token('u1') }).catch(() => undefined),
  );
  expect(refusal).toMatchObject({ status: 503, body: expect.stringContaining('which tokens are revoked') });
  const readiness = await fetch(`${strict.edge(0).process.adminUrl}/readyz`);
  expect(await readiness.text()).toMatch(/"revocations":\s*"not read for \d+ s"/);
  await session.ping();
  await redis.resume();
  await eventually(async () => {
    const client = await connect(strict.edge(0).wsUrl, { token: token('u1') }).catch(() => undefined);
    return client !== undefined;
  });
});
