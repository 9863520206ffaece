/** `npm run example <name>`: starts the hub, the page and the service of an example, and prints its address. */
import { randomBytes } from 'node:crypto';
import { startEmbeddedHub } from '@hubbub/cli/embedded';
import { freePort, startHubbub, startHubbubCluster, startRedis } from '@hubbub/tools/kit';
import { Argument, Command, InvalidArgumentError } from 'commander';
import { EXAMPLES, findExample } from './catalogue.js';
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

/** Redis, presence, two edges and the service, each as a process. */
async function startOnRedis(example: Example, host: string, port: number): Promise<Running> {
  const { redisUrl } = readSettings();
  const ownRedis = redisUrl === undefined ? await startRedis() : undefined;
  const apiKey = randomBytes(24).toString('base64url');
  const shared = {
    HUBBUB_REDIS_URL: redisUrl ?? ownRedis?.url ?? '',
    HUBBUB_REDIS_PREFIX: `example-${example.name}`,
    HUBBUB_JWT_SECRET: EXAMPLE_SECRET,
  };
  const cluster = await startHubbubCluster({
    edges: 2,
    presence: 1,
    env: {
      ...shared,
      HUBBUB_HOST: host,
      HUBBUB_PRESENCE_API_KEYS: apiKey,
      HUBBUB_CONFIG: exampleFile(example.name, 'hub.yaml'),
      ...example.hubVariables?.(`http://127.0.0.1:${port}`),
    },
  });
  const service = await startHubbub([example.name], {
    script: 'examples/dist/service/main.js',
    readyWhen: async () => {}, // It listens: it has no other sign.
    env: {
      ...shared,
      EXAMPLE_EDGES: cluster.edges.map(edge => edge.socketUrl('')).join(','),
      EXAMPLE_PRESENCE_URL: cluster.presence[0]?.adminUrl ?? '',
      EXAMPLE_PRESENCE_API_KEY: apiKey,
      EXAMPLE_HOST: host,
      EXAMPLE_PORT: String(port),
    },
  });
  service.output.onLine(line => process.stderr.write(`${line}\n`));
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      await service.terminate();
      await cluster.end('terminate');
      await ownRedis?.dispose();
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
