/** `npm run example <name>`: starts the hub, the page and the service of an example, and prints its address. */
import { startEmbeddedHub } from '@hubbub/cli/embedded';
import { Argument, Command, InvalidArgumentError } from 'commander';
import { EXAMPLES, findExample } from './catalogue.js';
import { startCluster } from './hub/cluster.js';
import { freePort, startChild } from './hub/processes.js';
import { type Example, exampleFile } from './service/example.js';
import { networkHost } from './service/network.js';
import { serve } from './service/serve.js';
import { EXAMPLE_SECRET, readSettings } from './service/settings.js';

interface Running {
  readonly url: string;
  close(): Promise<void>;
}

async function startEmbedded(example: Example, host: string, port: number): Promise<Running> {
  const hub = await startEmbeddedHub({
    HUBBUB_HOST: host,
    HUBBUB_PORT: '0',
    HUBBUB_ADMIN_PORT: '0',
    HUBBUB_LOG_LEVEL: 'warn',
    HUBBUB_JWT_SECRET: EXAMPLE_SECRET,
    HUBBUB_CONFIG: exampleFile(example.name, 'hub.yaml'),
    ...example.hubVariables?.(`http://127.0.0.1:${port}`),
  });
  const settings = { ...readSettings(), redisUrl: undefined, host, port, edges: [`ws://127.0.0.1:${hub.port}`] };
  const service = await serve(example, settings, hub.hubbub);
  return {
    url: service.url,
    async close() {
      await service.close();
      await hub.close();
    },
  };
}

async function startOnRedis(example: Example, host: string, port: number): Promise<Running> {
  const cluster = await startCluster(example, `http://127.0.0.1:${port}`, host, readSettings().redisUrl);
  const main = new URL('service/main.js', import.meta.url).pathname;
  const variables = { ...cluster.variables, EXAMPLE_HOST: host, EXAMPLE_PORT: String(port) };
  const service = await startChild([main, example.name], variables);
  return {
    url: String(service.listening.url),
    async close() {
      await service.close();
      await cluster.close();
    },
  };
}

interface Options {
  readonly redis?: true;
  readonly network?: true;
  readonly port?: number;
}

async function start(name: string, options: Options): Promise<void> {
  const example = findExample(name);
  const port = options.port ?? (await freePort());
  const onRedis = options.redis === true || readSettings().redisUrl !== undefined;
  const host = options.network === true ? '0.0.0.0' : readSettings().host;
  const running = await (onRedis ? startOnRedis : startEmbedded)(example, host, port);
  const others = networkHost(host);
  const lines = [
    `${example.title}  ${running.url}/`,
    ...(others === undefined ? [] : [`Other devices: http://${others}:${port}/`]),
    `${onRedis ? 'Redis, presence, two edges' : 'one process, in memory'}. Ctrl-C ends it.`,
  ];
  process.stdout.write(`\n${lines.map(line => `  ${line}\n`).join('')}\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void running.close().finally(() => process.exit()));
  }
}

function portNumber(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError('Expected a whole number from 0 to 65535.');
}

const program: Command = new Command('npm run example --')
  .usage('<name> [--redis] [--network] [--port <n>]')
  .addArgument(
    new Argument('<name>', EXAMPLES.map(({ name, title }) => `${name}: ${title}`).join('; ')).choices(
      EXAMPLES.map(({ name }) => name),
    ),
  )
  .option('--redis', 'runs it on Redis, with two edges: HUBBUB_REDIS_URL, or a redis-server of its own')
  .option('--network', 'admits other devices of the network, such as phones')
  .option('--port <n>', 'port of the page (default: a free one)', portNumber)
  .showSuggestionAfterError(false)
  .configureOutput({
    outputError: (error, write) =>
      write(`${error.trim().replace(/\.$/, '')}; usage: ${program.name()} ${program.usage()}\n`),
  })
  .exitOverride(error => process.exit(error.exitCode === 0 ? 0 : 2))
  .action(start);

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`error: ${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
}
