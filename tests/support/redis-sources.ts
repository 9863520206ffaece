/** Redis servers of the tests that are not programs of ours: a container, and the server of HUBBUB_TEST_REDIS_URL. */
import { askRedisOnce, connectRedis, freePort, type RedisServer } from '@hubbub/tools/kit';
import { GenericContainer, getContainerRuntimeClient } from 'testcontainers';

const REDIS_PORT = 6379;

/** For machines with a Docker engine and no program on the PATH. */
export async function startRedisContainer(image: string, args: readonly string[]): Promise<RedisServer> {
  // A host port chosen by us survives a restart of the container; one chosen by Docker does not.
  const port = await freePort();
  const started = await new GenericContainer(image)
    .withCommand(['redis-server', '--save', '', ...args])
    .withExposedPorts({ container: REDIS_PORT, host: port })
    .start();
  const { container: containers } = await getContainerRuntimeClient();
  const container = containers.getById(started.getId());
  const url = `redis://${started.getHost()}:${port}`;
  return {
    url,
    port,
    pid: undefined,
    ask: (command, ...args) => askRedisOnce(url, command, ...args),
    async start() {
      await container.start();
      await askRedisOnce(url, 'PING');
    },
    async halt({ keepData }) {
      if (keepData === true) await askRedisOnce(url, 'SAVE');
      else if (!keepData) await started.exec(['rm', '-f', '/data/dump.rdb']);
      await container.kill();
    },
    pause: () => container.pause(),
    resume: () => container.unpause(),
    async dispose() {
      await started.stop({ timeout: 0 });
    },
  };
}

/** The server is shared, so tests neither restart nor freeze it, and delete only their own keys. */
export function useSharedRedis(url: string, prefix: string): RedisServer {
  const notOurs = async () => {
    throw new Error('HUBBUB_TEST_REDIS_URL is not ours to restart or freeze: use startRedis({ own: true }).');
  };
  return {
    url,
    port: Number(new URL(url).port || REDIS_PORT),
    pid: undefined,
    ask: (command, ...args) => askRedisOnce(url, command, ...args),
    start: notOurs,
    halt: notOurs,
    pause: notOurs,
    resume: notOurs,
    async dispose() {
      const connection = connectRedis(url);
      try {
        for await (const keys of connection.scanStream({ match: `${prefix}*`, count: 1000 })) {
          if (keys.length > 0) await connection.unlink(...keys);
        }
      } finally {
        connection.disconnect();
      }
    },
  };
}
