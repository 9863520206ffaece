/** One example as a person would run it on Redis: presence, two edges, the service as a process, pages in a browser. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, TEST_JWT_SECRET, type TokenRequest } from '@hubbub/tools/kit';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { parse, stringify } from 'yaml';
import { findExample } from '../../examples/catalogue.js';
import { exampleFile } from '../../examples/service/example.js';
import { openBrowser } from '../support/browser.js';
import { cleanup, currentScope, type Scope } from '../support/cleanup.js';
import { type Environment, startCluster, type TestCluster, type TestEdge } from '../support/cluster.js';
import { startProcess, type TestProcess } from '../support/process.js';
import { type ConnectOptions, connect, type RawClient } from '../support/raw-client.js';
import { type StartRedisOptions, startRedis, type TestRedis } from '../support/redis.js';

/** For `test` and `beforeAll`: a browser and six processes on a machine that does other things too. */
export const EXAMPLE_TIMEOUT_MS = 120_000;

const PRESENCE_KEY = 'the-key-of-the-examples-tests-for-presence';
const PORT_TAKEN = /EADDRINUSE/;
const PORT_TRIES = 40;
const MAIN = 'examples/dist/service/main.js';

export interface StartExampleOptions {
  /** Clocks of the service, made short: `{ EXAMPLE_CLEANUP_AFTER_MS: 500 }`. */
  readonly times?: Readonly<Record<`EXAMPLE_${string}_MS`, number>>;
  /** HUBBUB_* for presence and edges, over those of the example. */
  readonly env?: Environment;
  /** For the service. */
  readonly serviceEnv?: Environment;
  /** Laid over the example's hub.yaml, level by level: `{ namespaces: { quiz: { leaveGraceMs: 100 } } }`. */
  readonly hub?: object;
  /** Of its own where the test halts or freezes it. */
  readonly redis?: StartRedisOptions;
}

export interface ExampleService {
  /** The one that runs now, or ran last. */
  readonly process: TestProcess;
  /** Kills it with SIGKILL, between any two of its steps. */
  kill(): Promise<void>;
  /** Starts it again at the same address. */
  start(): Promise<void>;
  /** Starts a second instance, at an address of its own. */
  startAnother(): Promise<{ readonly url: string; readonly process: TestProcess }>;
}

export interface PageOptions {
  /** The edge that the page connects to. Default 0. */
  readonly edge?: 0 | 1;
  readonly context?: BrowserContextOptions;
}

export interface RunningExample {
  /** `http://…` of the service and its pages, without a slash at the end. */
  readonly url: string;
  readonly edges: readonly TestEdge[];
  readonly redis: TestRedis;
  readonly cluster: TestCluster;
  readonly service: ExampleService;
  token(request: TokenRequest): string;
  /** A person with a browser of their own. An uncaught error of a page fails the test. */
  openPage(path: string, options?: PageOptions): Promise<Page>;
  /** Frames as they are: a session at `path` (with the base path) of an edge. */
  connect(path: string, options?: ConnectOptions & { readonly edge?: 0 | 1 }): Promise<RawClient>;
  /** Asks the service; `body` goes as JSON unless it is text. */
  ask(method: string, path: string, body?: object | string): Promise<{ status: number; body: unknown }>;
  /** The rooms of each session of a user, as presence reports them. */
  roomsOf(user: string): Promise<string[]>;
}

/**
 * Starts all parts; they end with the test, or with the file when called in `beforeAll`.
 *
 * @example
 * const example = await startExample('quiz-room', { times: { EXAMPLE_CLEANUP_AFTER_MS: 500 } });
 * const host = await example.openPage('/', { edge: 0 });
 */
export async function startExample(name: string, options: StartExampleOptions = {}): Promise<RunningExample> {
  const example = findExample(name);
  const redis = await startRedis(options.redis);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const cluster = await startCluster({
    edges: 2,
    redis,
    env: {
      HUBBUB_PRESENCE_API_KEYS: PRESENCE_KEY,
      HUBBUB_CONFIG: hubFile(name, options.hub),
      ...example.hubVariables?.(url),
      ...options.env,
    },
  });
  const variables = {
    HUBBUB_REDIS_URL: redis.url,
    HUBBUB_REDIS_PREFIX: redis.prefix,
    EXAMPLE_OTHERS_PREFIX: `${redis.prefix}:`,
    HUBBUB_JWT_SECRET: TEST_JWT_SECRET,
    EXAMPLE_EDGES: cluster.edges.map(edge => edge.socketUrl('')).join(','),
    EXAMPLE_PRESENCE_URL: cluster.presence[0]?.adminUrl ?? '',
    EXAMPLE_PRESENCE_API_KEY: PRESENCE_KEY,
    TMPDIR: temporaryFolder(), // Its bundled page, which a kill would leave behind.
    ...Object.fromEntries(Object.entries(options.times ?? {}).map(([time, ms]) => [time, String(ms)])),
    ...options.serviceEnv,
  };
  // Pages and services of a test live as long as the example, which may be that of the whole file.
  const scope = currentScope();
  const service = await openService(name, port, variables, scope);
  let browser: Promise<Browser> | undefined;

  return {
    url,
    edges: cluster.edges,
    redis,
    cluster,
    service,
    token: cluster.token,
    async openPage(path, { edge = 0, context } = {}) {
      browser ??= openBrowser({ scope });
      const opened = await (await browser).newContext(context);
      cleanup(() => opened.close());
      const page = await opened.newPage();
      const thrown: Error[] = [];
      page.on('pageerror', error => thrown.push(error));
      cleanup(() => {
        if (thrown.length > 0) throw new AggregateError(thrown, `The page ${path} threw: ${thrown.join('; ')}`);
      });
      const address = new URL(path, url);
      address.searchParams.set('edge', String(edge));
      await page.goto(address.href);
      return page;
    },
    connect: (path, { edge = 0, ...rest } = {}) => connect(cluster.edge(edge).socketUrl(path), rest),
    async ask(method, path, body) {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const init = text === undefined ? {} : { body: text, headers: { 'content-type': 'application/json' } };
      const response = await fetch(`${url}${path}`, { method, ...init });
      return { status: response.status, body: await response.json() };
    },
    async roomsOf(user) {
      const headers = { authorization: `Bearer ${PRESENCE_KEY}` };
      const response = await fetch(`${cluster.presence[0]?.adminUrl}/users/${user}`, { headers });
      const { sessions } = (await response.json()) as { sessions: ReadonlyArray<{ rooms: string[] }> };
      return sessions.flatMap(({ rooms }) => rooms);
    },
  };
}

/** The page reaches the hub at `address` (`ws://127.0.0.1:…`) and not at the edges that the service names. Before it connects. */
export async function goThrough(page: Page, address: string): Promise<void> {
  await page.route('**/config.json', route => route.fulfill({ json: { title: 'Story', edges: [address] } }));
}

async function openService(name: string, port: number, variables: Environment, scope: Scope): Promise<ExampleService> {
  const start = (ownPort: number) =>
    startProcess([name], {
      name: `service ${name}`,
      script: MAIN,
      env: { ...variables, EXAMPLE_PORT: String(ownPort) },
      readyWhen: async () => {}, // It listens: it has no other sign.
      scope,
    });
  /** The port was free a moment ago; an outgoing connection may have it for a while. */
  const startAtPort = async (): Promise<TestProcess> => {
    for (let tries = 1; ; tries++) {
      try {
        return await start(port);
      } catch (error) {
        if (tries === PORT_TRIES || !PORT_TAKEN.test(String(error))) throw error;
      }
    }
  };
  let running = await startAtPort();
  return {
    get process() {
      return running;
    },
    async kill() {
      await running.kill();
    },
    async start() {
      running = await startAtPort();
    },
    async startAnother() {
      const process = await start(0);
      return { url: String(process.output.logs.find(({ event }) => event === 'listening')?.url), process };
    },
  };
}

/** The example's hub.yaml, or a copy with other values. */
function hubFile(name: string, changes: object | undefined): string {
  const file = exampleFile(name, 'hub.yaml');
  if (changes === undefined) return file;
  const copy = join(temporaryFolder(), 'hub.yaml');
  writeFileSync(copy, stringify(laidOver(parse(readFileSync(file, 'utf8')), changes)));
  return copy;
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hubbub-example-'));
  cleanup(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function laidOver(below: unknown, above: unknown): unknown {
  if (!isMap(below) || !isMap(above)) return above;
  const changed = Object.entries(above).map(([key, value]) => [key, laidOver(below[key], value)]);
  return { ...below, ...Object.fromEntries(changed) };
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
