/** A Redis server in a container, for machines with a Docker engine and no program on the PATH. */
import { GenericContainer, getContainerRuntimeClient } from 'testcontainers';
import { freePort, type RedisHost } from './redis-host.js';
import { askRedisOnce } from './redis-question.js';

const REDIS_PORT = 6379;

export async function startRedisContainer(image: string, args: readonly string[]): Promise<RedisHost> {
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
    async start() {
      await container.start();
      await askRedisOnce(url, 'PING');
    },
    async halt({ keepData }) {
      if (keepData) await askRedisOnce(url, 'SAVE');
      else await started.exec(['rm', '-f', '/data/dump.rdb']);
      await container.kill();
    },
    pause: () => container.pause(),
    resume: () => container.unpause(),
    async dispose() {
      await started.stop({ timeout: 0 });
    },
  };
}
