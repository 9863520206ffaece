/** The settings of an example from its environment: read once, here only. */
import { readFileSync } from 'node:fs';

/** Redis, and nothing else, makes an example a cluster. */
export interface ExampleSettings {
  readonly redisUrl: string | undefined;
  /** Begins the names in Redis: those of the hub, and with `-example` behind it those of the service's state. */
  readonly redisPrefix: string;
  /** EXAMPLE_OTHERS_PREFIX: before names in Redis that other programs chose. Empty, but for tests that share a Redis. */
  readonly othersPrefix: string;
  /** EXAMPLE_HOST: address to listen on. Default 127.0.0.1; 0.0.0.0 in a container, and for phones in the network. */
  readonly host: string;
  /** Port of the service and its page. 0 takes a free one. */
  readonly port: number;
  /** Addresses of the edges for pages, such as `ws://127.0.0.1:9001`. */
  readonly edges: readonly string[];
  readonly presenceUrl: string | undefined;
  readonly presenceApiKey: string | undefined;
  readonly jwtSecret: string;
  /** Times of the example, such as `EXAMPLE_CLEANUP_AFTER_MS`, where they differ from its defaults. */
  timeMs(name: string, defaultMs: number): number;
  /** EXAMPLE_ALLOWED_ORIGINS; not set: all in development (`undefined`), none in production. */
  readonly allowedOrigins: readonly string[] | undefined;
}

export const EXAMPLE_SECRET = 'the-secret-of-the-examples-which-everybody-knows';

export function readSettings(environment: NodeJS.ProcessEnv = process.env): ExampleSettings {
  return {
    redisUrl: secret(environment, 'HUBBUB_REDIS_URL'),
    redisPrefix: environment.HUBBUB_REDIS_PREFIX ?? 'hubbub',
    othersPrefix: environment.EXAMPLE_OTHERS_PREFIX ?? '',
    host: environment.EXAMPLE_HOST ?? '127.0.0.1',
    port: wholeNumber('EXAMPLE_PORT', environment.EXAMPLE_PORT, 3000),
    edges: list(environment.EXAMPLE_EDGES),
    presenceUrl: environment.EXAMPLE_PRESENCE_URL,
    presenceApiKey: secret(environment, 'EXAMPLE_PRESENCE_API_KEY'),
    jwtSecret: secret(environment, 'HUBBUB_JWT_SECRET') ?? EXAMPLE_SECRET,
    allowedOrigins:
      environment.EXAMPLE_ALLOWED_ORIGINS === undefined && environment.NODE_ENV !== 'production'
        ? undefined
        : list(environment.EXAMPLE_ALLOWED_ORIGINS),
    timeMs: (name, defaultMs) => wholeNumber(name, environment[name], defaultMs),
  };
}

/** The value of the variable, or of the file that `<name>_FILE` names. */
function secret(environment: NodeJS.ProcessEnv, name: string): string | undefined {
  const file = environment[`${name}_FILE`];
  return file === undefined ? environment[name] : readFileSync(file, 'utf8').trimEnd();
}

function list(text: string | undefined): string[] {
  return (text ?? '').split(',').filter(item => item !== '');
}

function wholeNumber(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined || text === '') return otherwise;
  if (/^\d+$/.test(text)) return Number(text);
  throw new Error(`${name}: expected a whole number, got ${JSON.stringify(text)}`);
}

/** The environment for a child process; the hub's settings are passed one by one. */
export function inheritedVariables(environment: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !/^(HUBBUB|EXAMPLE)_(?!TEST_|.*_MS$)/.test(name)),
  );
}
