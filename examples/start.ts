/** `npm run example <name>`: starts the hub, the page and the service of an example, and prints its address. */
import { Command } from 'commander';
import { EXAMPLES, findExample } from './catalogue.js';
import { startChild } from './hub/child.js';
import { startCluster } from './hub/cluster.js';
import { startHub } from './hub/embedded.js';
import { freePort } from './hub/redis.js';
import type { Example } from './service/example.js';
import { serve } from './service/serve.js';
import { readSettings } from './service/settings.js';

interface Running {
  readonly url: string;
  close(): Promise<void>;
}

async function startEmbedded(example: Example, port: number): Promise<Running> {
  const hub = await startHub(example, `http://127.0.0.1:${port}`);
  const settings = { ...readSettings(), redisUrl: undefined, port, edges: [`ws://127.0.0.1:${hub.port}`] };
  const service = await serve(example, settings, hub.hubbub);
  return {
    url: service.url,
    async close() {
      await service.close();
      await hub.close();
    },
  };
}

async function startOnRedis(example: Example, port: number): Promise<Running> {
  const cluster = await startCluster(example, `http://127.0.0.1:${port}`, readSettings().redisUrl);
  const main = new URL('service/main.js', import.meta.url).pathname;
  const service = await startChild([main, example.name], { ...cluster.variables, EXAMPLE_PORT: String(port) });
  return {
    url: String(service.listening.url),
    async close() {
      await service.close();
      await cluster.close();
    },
  };
}

async function start(name: string, options: { readonly redis?: true; readonly port?: string }): Promise<void> {
  const example = findExample(name);
  const port = options.port === undefined ? await freePort() : Number(options.port);
  const onRedis = options.redis === true || readSettings().redisUrl !== undefined;
  const running = await (onRedis ? startOnRedis : startEmbedded)(example, port);
  process.stdout.write(
    `\n  ${example.title}  ${running.url}/\n  ${onRedis ? 'Redis, presence, two edges' : 'one process, in memory'}. Ctrl-C ends it.\n\n`,
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void running.close().finally(() => process.exit()));
  }
}

await new Command('npm run example')
  .argument('<name>', EXAMPLES.map(({ name, title }) => `${name}: ${title}`).join('; '))
  .option('--redis', 'runs it on Redis, with two edges: HUBBUB_REDIS_URL, or a redis-server of its own')
  .option('--port <n>', 'port of the page (default: a free one)')
  .action(start)
  .parseAsync();
