/** Makes one Redis Cluster of started servers. */
import { eventually } from './eventually.js';
import { askRedisOnce } from './redis.js';

const SLOTS = 16_384;

/** `--cluster-node-timeout` decides how soon the servers notice a failure. */
export const CLUSTER_ARGS = ['--cluster-enabled', 'yes', '--repl-diskless-sync-delay', '0'];

/**
 * Shares the slots among the first `primaries` servers; the others become their replicas in turn. Resolves when all agree.
 *
 * @returns the URL of the cluster, `redis+cluster://…`
 * @example
 * const servers = await Promise.all([1, 2, 3].map(() => startRedis({ args: CLUSTER_ARGS })));
 * const url = await formRedisCluster(servers, 3);
 */
export async function formRedisCluster(
  servers: readonly { readonly url: string; readonly port: number }[],
  primaries: number,
): Promise<string> {
  const urls = servers.map(({ url }) => url);
  const ask = async (server: number, ...words: string[]): Promise<string> =>
    String(await askRedisOnce(urls[server] as string, 'CLUSTER', ...words));
  const all = urls.map((_, server) => server);
  const replicas = all.slice(primaries);

  for (const server of all) await ask(server, 'MEET', '127.0.0.1', String(servers[0]?.port));
  for (const primary of all.slice(0, primaries)) {
    const [from, to] = [primary, primary + 1].map(part => Math.ceil((part * SLOTS) / primaries)) as [number, number];
    await ask(primary, 'ADDSLOTSRANGE', String(from), String(to - 1));
  }
  for (const server of all) {
    await eventually(async () => lines(await ask(server, 'NODES')).length === servers.length, {
      describe: 'the servers know each other',
    });
  }
  for (const [index, replica] of replicas.entries()) {
    const id = await ask(index % primaries, 'MYID');
    await eventually(async () => (await ask(replica, 'REPLICATE', id)) === 'OK');
    await eventually(async () => String(await askRedisOnce(urls[replica] as string, 'ROLE')).includes('connected'), {
      describe: 'the replica follows',
    });
  }
  for (const server of all) {
    await eventually(
      async () =>
        (await ask(server, 'INFO')).includes('cluster_state:ok') &&
        lines(await ask(server, 'NODES')).filter(line => line.includes('slave')).length === replicas.length,
      { describe: 'the cluster is whole' },
    );
  }
  return `redis+cluster://${servers
    .slice(0, primaries)
    .map(({ port }) => `127.0.0.1:${port}`)
    .join(',')}`;
}

function lines(text: string): string[] {
  return text.split('\n').filter(line => line !== '');
}
