/** A primary, a replica and three Sentinels, as the smallest set-up that fails over. */
import { eventually, type RedisServer, startRedis as startRedisProgram } from '@hubbub/tools/kit';
import { cleanup } from './cleanup.js';
import { startRedis, type TestRedis } from './redis.js';

/** Shorter than in production, where it is 5 s and more: each story waits for it. */
export const DOWN_AFTER_MS = 1000;
const PRIMARY_NAME = 'hubbub';

export interface SentinelRedis {
  /** `redis+sentinel://…` */
  readonly url: string;
  readonly servers: readonly [TestRedis, TestRedis];
  readonly sentinels: readonly RedisServer[];
  /** The server that the Sentinels name, once it is a primary. */
  primary(): Promise<TestRedis>;
  /** As an operator orders it; resolves when the Sentinels name the other server. */
  failOver(): Promise<void>;
}

export async function startSentinelRedis(): Promise<SentinelRedis> {
  const primary = await startRedis({ own: true });
  const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(primary.port)] });
  await eventually(async () => (await replica.cli('ROLE')).includes('connected'), { describe: 'the replica follows' });
  const config = [
    `sentinel monitor ${PRIMARY_NAME} 127.0.0.1 ${primary.port} 2`,
    `sentinel down-after-milliseconds ${PRIMARY_NAME} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${PRIMARY_NAME} 5000`,
  ].join('\n');
  const sentinels = await Promise.all([1, 2, 3].map(() => startRedisProgram({ sentinelConfig: config })));
  for (const sentinel of sentinels) cleanup(() => sentinel.dispose());
  const ask = (sentinel: RedisServer, ...words: string[]) => sentinel.ask('SENTINEL', ...words);
  const servers = [primary, replica] as const;
  const named = async (sentinel: RedisServer): Promise<TestRedis | undefined> => {
    const [, port] = (await ask(sentinel, 'GET-MASTER-ADDR-BY-NAME', PRIMARY_NAME)) as string[];
    return servers.find(server => String(server.port) === port);
  };
  for (const sentinel of sentinels) {
    await eventually(
      async () => {
        const replicas = (await ask(sentinel, 'REPLICAS', PRIMARY_NAME)) as unknown[];
        const others = (await ask(sentinel, 'SENTINELS', PRIMARY_NAME)) as unknown[];
        return replicas.length === 1 && others.length === 2;
      },
      { describe: 'the Sentinels know each other and the replica' },
    );
  }
  const last = sentinels.at(-1) as RedisServer;
  return {
    url: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${PRIMARY_NAME}`,
    servers,
    sentinels,
    primary: () =>
      eventually(
        async () => {
          const server = (await named(last)) ?? primary;
          return (await server.cli('ROLE')).startsWith('master') && server;
        },
        { describe: 'the Sentinels name a primary' },
      ),
    async failOver() {
      const before = await named(last);
      // A Sentinel refuses for a moment after an earlier failover.
      await eventually(async () => (await ask(last, 'FAILOVER', PRIMARY_NAME)) === 'OK');
      await eventually(async () => (await named(last)) !== before, { describe: 'the other server is the primary' });
    },
  };
}
