/** Every setting of every process: its name, bounds, default and meaning, in one table. */
import { z } from 'zod';

/** Used in development when no secret is set, and announced loudly. Never in production. */
export const DEVELOPMENT_JWT_SECRET = 'hubbub-development-secret-not-for-production';

/** RFC 7518 section 3.2: a key for HS256 has at least the 256 bits of the hash. */
const JWT_SECRET_MIN_BYTES = 32;

/** Environment variables are text; a file may hold numbers. What is not a number stays as it is and is refused. */
function integer(min: number, max: number) {
  const error = `expected a whole number from ${min} to ${max}`;
  return z.preprocess(
    value => (typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value),
    z.int({ error }).min(min, { error }).max(max, { error }),
  );
}

/** Comma-separated in an environment variable, a list in a file. */
function list(what: string) {
  const error = `expected a list of ${what}, separated by commas`;
  return z.preprocess(
    value =>
      typeof value === 'string'
        ? value
            .split(',')
            .map(item => item.trim())
            .filter(item => item !== '')
        : value,
    z.array(z.string({ error }), { error }),
  );
}

/** Text in an environment variable, a boolean in a file. */
function flag() {
  return z.preprocess(
    value => (value === 'true' ? true : value === 'false' ? false : value),
    z.boolean({ error: 'expected true or false' }),
  );
}

function text(pattern: RegExp, expected: string) {
  return z.string({ error: `expected ${expected}` }).regex(pattern, { error: `expected ${expected}` });
}

const port = integer(0, 65_535);
const MINUTE_MS = 60_000;

export const settingsSchema = z.strictObject({
  port: port.default(8080).describe('Port for clients; 0 takes a free one.'),
  host: z.string().min(1).default('127.0.0.1').describe('Address that the port for clients is bound to.'),
  sharedPort: flag()
    .default(false)
    .describe(
      'Whether other processes may listen on the port as well (SO_REUSEPORT): the kernel spreads the connections. --workers sets it.',
    ),
  adminPort: port.default(8081).describe('Port for /healthz, /readyz and /metrics; 0 takes a free one.'),
  adminHost: z.string().min(1).default('127.0.0.1').describe('Address that the admin port is bound to.'),
  basePath: text(/^(\/[A-Za-z0-9._~-]+)*$/, 'a path like /api, or nothing')
    .default('')
    .describe('Path that stands before /ws and /rooms.'),
  redisUrl: text(/^rediss?:\/\/.+|^unix:\/\/.+/, 'a URL like redis://127.0.0.1:6379')
    .optional()
    .describe('Redis of the cluster. Unset: everything in one process, in memory.'),
  redisPrefix: text(/^[A-Za-z0-9_.-]{1,64}$/, '1 to 64 letters, digits, _ . -')
    .default('hubbub')
    .describe('Begins every channel and key, so that two clusters can share a Redis.'),
  redisCommandTimeoutMs: integer(100, MINUTE_MS)
    .default(5000)
    .describe('A Redis that does not answer for so long counts as away.'),
  jwtSecret: z
    .string()
    .min(1)
    .optional()
    .describe(`Secret of the tokens (HS256). Required in production, there at least ${JWT_SECRET_MIN_BYTES} bytes.`),
  allowedOrigins: list('origins like https://example.com')
    .optional()
    .describe('Origins that browsers may connect from. Unset: any in development, none in production.'),
  nodeId: text(/^[A-Za-z0-9_.-]{1,64}$/, '1 to 64 letters, digits, _ . -')
    .optional()
    .describe('Name of this process in the cluster. Unset: made up at each start.'),
  logLevel: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
      error: 'expected one of fatal, error, warn, info, debug, trace, silent',
    })
    .default('info')
    .describe('What is logged.'),
  maxFrameBytes: integer(64, 1_048_576).default(4096).describe('Size of a frame from a client.'),
  maxBufferedBytes: integer(4096, 1_073_741_824)
    .default(256 * 4096)
    .describe('What may wait for a slow reader before its connection is cut off.'),
  conflateAboveBytes: integer(1024, 536_870_912)
    .optional()
    .describe(
      'In namespaces with conflate: when more waits for a slow reader, it gets only the newest message per key. At most half of maxBufferedBytes, which needs room for 32 messages more. Unset: 65536, or a quarter of maxBufferedBytes where that is less.',
    ),
  // The engine aborts the process on an idle timeout outside 8 to 960 seconds.
  idleTimeoutMs: integer(8000, 960_000)
    .default(MINUTE_MS)
    .describe('A connection that sends nothing, not even a pong, for so long is closed.'),
  maxSessionsPerUser: integer(0, 100_000)
    .default(100)
    .describe('Sessions of one user in the whole cluster; 0 is no limit.'),
  maxRooms: integer(1, 10_000).default(100).describe('Rooms of one session.'),
  // Below the 100 levels at which the MessagePack encoder gives up.
  maxPayloadDepth: integer(1, 64).default(16).describe('Nesting of a payload.'),
  maxPayloadKeys: integer(1, 100_000).default(256).describe('Keys and items in a payload, all levels together.'),
  rosterPageSize: integer(1, 1000).default(100).describe('Users in one room_info or online_users.'),
  maxReplayMessages: integer(1, 10_000)
    .default(1000)
    .describe('Messages of one room that are replayed to a client that comes back; above it it reads the history.'),
  historyPageSize: integer(1, 1000).default(100).describe('Messages in one answer to history.'),
  historyCheckIntervalMs: integer(100, 10 * MINUTE_MS)
    .default(5000)
    .describe('How often a silent room with history is compared with what Redis has.'),
  subscriptionLingerMs: integer(0, 10 * MINUTE_MS)
    .default(5000)
    .describe('An edge stays subscribed to a room for so long after its last member there has left.'),
  probeIntervalMs: integer(100, MINUTE_MS)
    .default(1000)
    .describe('How often an edge sends itself a message through Redis.'),
  probeTimeoutMs: integer(200, MINUTE_MS)
    .default(3000)
    .describe('/readyz turns red when no such message has come back for so long.'),
  presencePartitions: integer(1, 256)
    .default(16)
    .describe(
      'Partitions of the registry. The same for all processes of a cluster; change it only with the cluster stopped.',
    ),
  nodeLeaseMs: integer(3000, MINUTE_MS)
    .default(8000)
    .describe('An edge that does not renew its lease for so long is dead.'),
  rosterCountThreshold: integer(1, 1_000_000)
    .default(500)
    .describe('Above so many users a room hears counts instead of single joins and leaves.'),
  rosterCountIntervalMs: integer(100, MINUTE_MS).default(2000).describe('Shortest time between two counts of a room.'),
  presenceApiKeys: list('API keys')
    .default([])
    .describe("Keys that open presence's HTTP interface. None: it is closed."),
  drainDelayMs: integer(0, 10 * MINUTE_MS)
    .optional()
    .describe(
      'A leaving edge is not ready, but goes on for so long, so that the balancer can see it. Unset: 5000 in production, else 0.',
    ),
  drainWindowMs: integer(0, 10 * MINUTE_MS)
    .default(10_000)
    .describe('Then it sends its sessions away, spread over so long; few of them take less.'),
  shutdownTimeoutMs: integer(100, 30 * MINUTE_MS)
    .default(25_000)
    .describe('A stopping process ends after so long, done or not. More than drainDelayMs and drainWindowMs together.'),
});

export type Settings = z.infer<typeof settingsSchema>;

/** `adminPort` ↔ `HUBBUB_ADMIN_PORT`: one mechanical rule, so that a setting has one name. */
export function environmentName(setting: string): string {
  return `HUBBUB_${setting.replace(/[A-Z]/g, letter => `_${letter}`).toUpperCase()}`;
}

export function settingNames(): string[] {
  return Object.keys(settingsSchema.shape);
}

const PRODUCTION_DRAIN_DELAY_MS = 5000;

/** In development there is no balancer to wait for. */
export function drainDelayOf({ drainDelayMs }: Pick<Settings, 'drainDelayMs'>, production: boolean): number {
  return drainDelayMs ?? (production ? PRODUCTION_DRAIN_DELAY_MS : 0);
}

const CONFLATE_ABOVE_BYTES = 65_536;

/** Well below what cuts a slow reader off, whatever that is. */
export function conflateAboveOf(settings: Pick<Settings, 'conflateAboveBytes' | 'maxBufferedBytes'>): number {
  return settings.conflateAboveBytes ?? Math.min(CONFLATE_ABOVE_BYTES, Math.floor(settings.maxBufferedBytes / 4));
}

/** What no single setting can say of itself. */
export function crossProblems(settings: Settings, production: boolean): string[] {
  const problems: string[] = [];
  if (production && settings.jwtSecret === undefined) {
    problems.push(
      'HUBBUB_JWT_SECRET: required in production (NODE_ENV=production); make one with: openssl rand -base64 48',
    );
  }
  if (production && settings.jwtSecret !== undefined && Buffer.byteLength(settings.jwtSecret) < JWT_SECRET_MIN_BYTES) {
    problems.push(`HUBBUB_JWT_SECRET: expected at least ${JWT_SECRET_MIN_BYTES} bytes (RFC 7518 section 3.2)`);
  }
  if (settings.probeTimeoutMs < settings.probeIntervalMs) {
    problems.push('HUBBUB_PROBE_TIMEOUT_MS: expected at least HUBBUB_PROBE_INTERVAL_MS');
  }
  if (conflateAboveOf(settings) > settings.maxBufferedBytes / 2) {
    problems.push(
      `HUBBUB_CONFLATE_ABOVE_BYTES: expected at most half of HUBBUB_MAX_BUFFERED_BYTES (${settings.maxBufferedBytes})`,
    );
  }
  const drainMs = drainDelayOf(settings, production) + settings.drainWindowMs;
  if (settings.shutdownTimeoutMs <= drainMs) {
    problems.push(
      `HUBBUB_SHUTDOWN_TIMEOUT_MS: expected more than HUBBUB_DRAIN_DELAY_MS and HUBBUB_DRAIN_WINDOW_MS together (${drainMs})`,
    );
  }
  return problems;
}
