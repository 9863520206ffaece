/** The bus, presence, and how a process lives and leaves. */
import { parseRedisUrl } from '@hubbub/protocol';
import { z } from 'zod';
import { API_KEYS } from './api.js';
import { baseUrl, integer, isHeaderText, list, MINUTE_MS, oneOf, SECRET, text } from './fields.js';

/** Read by what connects: a pattern would accept what the connection refuses, or takes for database 0. */
const redisUrl = z.string({ error: 'expected a URL like redis://127.0.0.1:6379' }).superRefine((value, context) => {
  try {
    parseRedisUrl(value);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
  }
});

export const clusterSettings = {
  redisUrl: redisUrl
    .optional()
    .describe(
      'Redis of the cluster: `redis://user:password@host:6379/0`, `rediss://` with TLS, or `unix:///path` of a socket. Unset: everything in one process, in memory.',
    ),
  redisPrefix: text(/^[A-Za-z0-9_.-]{1,64}$/, '1 to 64 letters, digits, _ . -, such as hubbub')
    .default('hubbub')
    .describe('Begins every channel and key, so that two clusters can share a Redis.'),
  redisCommandTimeoutMs: integer(100, MINUTE_MS)
    .default(5000)
    .describe('A Redis that does not answer for so long counts as away.'),
  nodeId: text(/^[A-Za-z0-9_.-]{1,64}$/, '1 to 64 letters, digits, _ . -, such as edge-1')
    .optional()
    .describe('Name of this process in the cluster. Unset: made up at each start.'),
  logLevel: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('What is logged.'),
  historyCheckIntervalMs: integer(100, 10 * MINUTE_MS)
    .default(5000)
    .describe(
      'How soon a room with history that fell silent is compared with what Redis has; then ever more rarely, up to every 16 times as long.',
    ),
  maxWaitingEvents: integer(1, 10_000_000)
    .default(100_000)
    .describe('Client events of a namespace that may wait for services; above it they are refused (UNAVAILABLE).'),
  eventsTtlMs: integer(60_000, 30 * 24 * 60 * MINUTE_MS)
    .default(24 * 60 * MINUTE_MS)
    .describe('Client events that nobody takes are forgotten after so long.'),
  presenceUrl: baseUrl('http://127.0.0.1:8081')
    .optional()
    .describe('Admin address of a presence process: hubbub api asks it for rosters, with presenceApiKeys.'),
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
  presenceApiKeys: list(API_KEYS, isHeaderText)
    .default([])
    .meta(SECRET)
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
};
