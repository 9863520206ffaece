/** The broker, presence, and the life cycle of a process. */
import { PREVIOUS_WIRE_VERSION, parseRedisLocation, WIRE_VERSION } from '@hubbub/protocol';
import { z } from 'zod';
import { API_KEYS } from './api-keys.js';
import {
  baseUrl,
  HOLDS_PASSWORD,
  integer,
  isHeaderText,
  list,
  MINUTE_MS,
  nonEmpty,
  oneOf,
  SECRET,
  text,
} from './fields.js';

/** Parsed as the connection parses it: a pattern would accept URLs that the connection refuses or misreads. */
const redisUrl = z.string({ error: 'expected a URL like redis://127.0.0.1:6379' }).superRefine((value, context) => {
  try {
    parseRedisLocation(value);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
  }
});

export const clusterSettings = {
  redisUrl: redisUrl
    .optional()
    .meta(HOLDS_PASSWORD)
    .describe(
      'Redis of the cluster: one server or several ([which topology](deployment.md#which-topology)). Unset: one process, in memory.',
    ),
  registryRedisUrl: redisUrl
    .optional()
    .meta(HOLDS_PASSWORD)
    .describe(
      'Redis of presence and of client events ([two Redis](deployment.md#two-redis)). Same form as redisUrl. Unset: redisUrl.',
    ),
  redisTlsCaFile: nonEmpty('a path such as /etc/hubbub/redis-ca.crt')
    .optional()
    .describe("Authorities (PEM) of Redis' certificates, where redisUrl uses TLS. Unset: those of Node."),
  redisTlsCertFile: nonEmpty('a path such as /etc/hubbub/redis.crt')
    .optional()
    .describe('Certificate (PEM) that the process shows to Redis. Needs redisTlsKeyFile.'),
  redisTlsKeyFile: nonEmpty('a path such as /etc/hubbub/redis.key')
    .optional()
    .describe('Private key (PEM) of redisTlsCertFile.'),
  redisPrefix: text(/^[A-Za-z0-9_.-]{1,64}$/, '1 to 64 letters, digits, _ . -, such as hubbub')
    .default('hubbub')
    .describe('Prefix of every channel and key, so that two clusters can share a Redis.'),
  redisCommandTimeoutMs: integer(100, MINUTE_MS)
    .default(5000)
    .describe('Time in which Redis must answer a command; later the process treats Redis as unavailable.'),
  durableTimeoutMs: integer(10, MINUTE_MS)
    .default(1000)
    .describe(
      'Time in which a replica must confirm a message of a durable namespace; later its sender gets OUTCOME_UNKNOWN.',
    ),
  nodeId: text(/^[A-Za-z0-9_.-]{1,64}$/, '1 to 64 letters, digits, _ . -, such as edge-1')
    .optional()
    .describe('Name of this process in the cluster. Unset: each start generates one.'),
  logLevel: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('Lowest level that is logged.'),
  historyCheckIntervalMs: integer(100, 10 * MINUTE_MS)
    .default(5000)
    .describe(
      "Time after which an edge compares a silent room's history with Redis. The interval then grows to at most 16 times that.",
    ),
  maxWaitingEvents: integer(1, 10_000_000)
    .default(100_000)
    .describe(
      'Maximum client events of a namespace that wait for services; the edge refuses further events with UNAVAILABLE.',
    ),
  eventsTtlMs: integer(60_000, 30 * 24 * 60 * MINUTE_MS)
    .default(24 * 60 * MINUTE_MS)
    .describe('Time after which a stream of client events without reads and writes expires with its events.'),
  presenceUrl: baseUrl('http://127.0.0.1:8081')
    .optional()
    .describe('Admin address of a presence process. `hubbub api` reads rosters there, with presenceApiKeys.'),
  subscriptionLingerMs: integer(0, 10 * MINUTE_MS)
    .default(5000)
    .describe('Time that an edge stays subscribed to a room after its last local member left.'),
  probeIntervalMs: integer(100, MINUTE_MS)
    .default(1000)
    .describe('Interval at which an edge sends itself a message through Redis (the self-probe).'),
  probeTimeoutMs: integer(200, MINUTE_MS)
    .default(3000)
    .describe(
      'Time without a returned self-probe after which /readyz turns red; four times that while other messages arrive.',
    ),
  presencePartitions: integer(1, 256)
    .default(16)
    .describe(
      'Number of partitions of the registry. Equal in all processes; change it only while the cluster is stopped.',
    ),
  nodeLeaseMs: integer(3000, MINUTE_MS)
    .default(8000)
    .describe("Lifetime of an edge's lease. An edge that does not renew it for that long counts as dead."),
  wireVersionMax: integer(PREVIOUS_WIRE_VERSION, WIRE_VERSION)
    .default(WIRE_VERSION)
    .describe(
      'Highest wire version that this edge or presence process lets the others write ([going back](upgrading.md#going-back)).',
    ),
  rosterCountThreshold: integer(1, 1_000_000)
    .default(500)
    .describe('Number of users above which a room gets counts instead of single joins and leaves.'),
  rosterCountIntervalMs: integer(100, MINUTE_MS).default(2000).describe('Minimum time between two counts of a room.'),
  presenceApiKeys: list(API_KEYS, isHeaderText)
    .default([])
    .meta(SECRET)
    .describe(
      "Keys that authenticate clients of presence's HTTP interface. Empty: the interface refuses every request.",
    ),
  drainDelayMs: integer(0, 10 * MINUTE_MS)
    .optional()
    .describe(
      'Time that a stopping edge is not ready but keeps working, for the load balancer. Unset: 5000 in production, else 0.',
    ),
  drainWindowMs: integer(0, 10 * MINUTE_MS)
    .default(10_000)
    .describe(
      'After that, time over which the edge spreads the disconnects of its sessions; a few sessions take less.',
    ),
  maxSessionAgeMs: integer(0, 30 * 24 * 60 * MINUTE_MS)
    .default(0)
    .describe(
      'Age at which an edge moves a session to another edge, at a random time in the last fifth of it. 0: no limit.',
    ),
  shutdownTimeoutMs: integer(100, 30 * MINUTE_MS)
    .default(25_000)
    .describe('Time after which a stopping process exits, finished or not. More than drainDelayMs plus drainWindowMs.'),
};
