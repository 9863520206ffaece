/** Limits of a client, a user and an address, with their defaults. */
import { flag, integer, MINUTE_MS } from './fields.js';

export const limitSettings = {
  maxFrameBytes: integer(64, 1_048_576).default(4096).describe('Maximum size of a frame from a client.'),
  maxFramesPerSecond: integer(0, 1_000_000)
    .default(100)
    .describe('Maximum frames per second of one session; above it RATE_LIMITED. 0: no limit.'),
  maxFramesBurst: integer(1, 1_000_000).default(200).describe('Maximum burst of frames from a session that was idle.'),
  maxUserFramesPerSecond: integer(0, 1_000_000)
    .default(500)
    .describe(
      'Maximum frames per second of all sessions of a user on this edge; the burst is twice that. 0: no limit.',
    ),
  maxAddressFramesPerSecond: integer(0, 10_000_000)
    .default(5000)
    .describe(
      'Maximum frames per second of an address (IPv6: of a /64) on this edge; the burst is twice that. 0: no limit.',
    ),
  maxRefusalsPerMinute: integer(1, 1_000_000)
    .default(300)
    .describe('Maximum refused frames per minute of one session; the edge closes a session that exceeds it.'),
  maxCallsPerSecond: integer(0, 10_000_000)
    .default(500)
    .describe(
      'Redis calls per second that a session may cause. The burst is 4 seconds’ worth, or 3 for each of maxRooms. 0: no limit.',
    ),
  maxUserCallsPerSecond: integer(0, 10_000_000)
    .default(2000)
    .describe(
      'The same limit for all sessions of a user on this edge (without a token: for all sessions of an address).',
    ),
  maxNamespaceCallsPerSecond: integer(0, 10_000_000)
    .default(100_000)
    .describe('The same limit for all sessions on this edge, in the rooms of one namespace.'),
  maxBytesOutPerSecond: integer(0, 10_737_418_240)
    .default(1_048_576)
    .describe(
      'Maximum bytes per second of answers and replays to one session. The burst is 16 seconds’ worth. 0: no limit.',
    ),
  maxUserBytesOutPerSecond: integer(0, 10_737_418_240)
    .default(4_194_304)
    .describe(
      'The same limit for all sessions of a user on this edge (without a token: for all sessions of an address).',
    ),
  maxNamespaceBytesOutPerSecond: integer(0, 10_737_418_240)
    .default(134_217_728)
    .describe('The same limit for all sessions on this edge, in the rooms of one namespace.'),
  maxUserStoredBytes: integer(0, 1_099_511_627_776)
    .default(67_108_864)
    .describe(
      "Maximum bytes that a user's messages from this edge may add to a namespace's histories in historyTtlMs. 0: no limit.",
    ),
  maxNamespaceStoredBytes: integer(0, 1_099_511_627_776)
    .default(4_294_967_296)
    .describe('The same limit for all users of this edge.'),
  maxConnectionsPerAddress: integer(0, 1_000_000)
    .default(1000)
    .describe(
      'Maximum connections of one address (IPv6: of a /64) to this edge. 0: no limit. Behind a proxy, set trustedProxies.',
    ),
  reservedDescriptors: integer(8, 100_000)
    .default(64)
    .describe(
      'File descriptors that client connections never take: for the admin port, Redis and questions to the authorizer.',
    ),
  maxHandshakesPerSecond: integer(0, 1_000_000)
    .default(1500)
    .describe(
      'Maximum handshakes per second on this edge; above it 429. Each takes 0.43 to 0.54 ms of a core. 0: no limit.',
    ),
  shedOverload: flag()
    .default(true)
    .describe(
      'Refuses a share of the handshakes with 429, and publishes, while the following thresholds are exceeded.',
    ),
  overloadLoopDelayMs: integer(10, MINUTE_MS)
    .default(200)
    .describe('Overload: the event loop of the edge is late by this time, throughout half a second.'),
  overloadSubscriptionMs: integer(10, MINUTE_MS)
    .default(1000)
    .describe('Overload: Redis has not confirmed a subscription for this time. Less than redisCommandTimeoutMs.'),
  overloadReportMs: integer(10, MINUTE_MS)
    .default(1000)
    .describe(
      'Overload: a report to presence waits at the edge for this time, because Redis is slow or a log is full.',
    ),
  overloadReportLogPercent: integer(1, 100)
    .default(50)
    .describe("Overload: the log of a partition is filled to this part with presence's unread reports, in percent."),
  overloadPresenceLagMs: integer(100, 10 * MINUTE_MS)
    .default(10_000)
    .describe(
      'Overload: presence reads reports, but is behind by this time. While presence is down, only the fill counts.',
    ),
  overloadPublishMs: integer(10, MINUTE_MS)
    .default(500)
    .describe('Overload: publishes beyond those that Redis answers in this time get UNAVAILABLE.'),
  handshakeTimeoutMs: integer(1000, 5 * MINUTE_MS)
    .default(10_000)
    .describe('Time in which a connection must become a session; later the edge closes it.'),
  maxHeaderBytes: integer(1024, 65_536)
    .default(4096)
    .describe('Maximum size of the request headers, the token included.'),
  maxBufferedBytes: integer(4096, 1_073_741_824)
    .default(256 * 4096)
    .describe('Maximum bytes buffered for a slow reader; above it the edge disconnects the session.'),
  maxTotalBufferedBytes: integer(1_048_576, 1_099_511_627_776)
    .optional()
    .describe(
      'Bytes buffered for all sessions of an edge; above it the worst are disconnected. Unset: a quarter of the memory.',
    ),
  maxSessions: integer(0, 10_000_000)
    .optional()
    .describe('Sessions of an edge; 503 for more, 0: no limit. Unset: as many as fit into half of the memory.'),
  conflateAboveBytes: integer(1024, 536_870_912)
    .optional()
    .describe(
      'Buffered bytes above which conflation begins; at most half of maxBufferedBytes. Unset: 65536, or a quarter if less.',
    ),
  // The engine aborts the process on an idle timeout outside 8 to 960 seconds.
  idleTimeoutMs: integer(8000, 960_000)
    .default(MINUTE_MS)
    .describe('Time after which the edge closes a connection that sends nothing, not even a pong.'),
  pingIntervalMs: integer(1000, 900_000)
    .optional()
    .describe(
      'Silence after which a client pings, less than idleTimeoutMs. Unset: 25000, or half of idleTimeoutMs if that is less.',
    ),
  backoffBaseMs: integer(10, MINUTE_MS)
    .default(1000)
    .describe("Upper bound of a client's first delay before it reconnects; the `welcome` proposes it."),
  backoffCapMs: integer(100, 60 * MINUTE_MS)
    .default(30_000)
    .describe('Upper bound of every reconnect delay. At least backoffBaseMs.'),
  unreadTimeoutMs: integer(1000, 10 * MINUTE_MS)
    .default(10_000)
    .describe('Time after which the edge disconnects a session that reads none of its buffered bytes.'),
  maxSessionsPerUser: integer(0, 100_000)
    .default(100)
    .describe('Maximum sessions of one user in the whole cluster. 0: no limit.'),
  maxKeptRoomsPerUser: integer(0, 100_000)
    .default(100)
    .describe(
      'Maximum rooms with `keepMembers` per offline user and partition; above it, the oldest is left first. 0: no limit.',
    ),
  maxRooms: integer(1, 10_000).default(100).describe('Maximum rooms of one session.'),
  // Below the 100 levels at which the MessagePack encoder gives up.
  maxPayloadDepth: integer(1, 64).default(16).describe('Maximum nesting depth of a payload.'),
  maxPayloadKeys: integer(1, 100_000).default(256).describe('Maximum keys and items of a payload, over all levels.'),
  rosterPageSize: integer(1, 1000).default(100).describe('Maximum users in one room_info or online_users.'),
  maxReplayMessages: integer(1, 10_000)
    .default(1000)
    .describe(
      'Maximum messages of one room that the edge replays to a client that reconnects. Above it, the client reads the history.',
    ),
  maxReplayBytes: integer(65_536, 17_179_869_184)
    .default(67_108_864)
    .describe(
      'Maximum bytes that an edge caches for replays. One room gets at most a quarter, and at most maxBufferedBytes.',
    ),
  explainMaxEntries: integer(0, 1_000_000)
    .default(10_000)
    .describe(
      'Maximum live sessions, ended sessions, refused clients and gaps, of each, that an edge remembers for hubbub explain.',
    ),
  explainMaxBytes: integer(0, 1_073_741_824)
    .default(16_777_216)
    .describe('Maximum bytes (estimated) of what an edge remembers for hubbub explain.'),
  explainQuestionsPerSecond: integer(1, 1000)
    .default(10)
    .describe(
      'Questions of hubbub explain that an edge answers per second; above it the edge answers that it is busy.',
    ),
  historyPageSize: integer(1, 1000).default(100).describe('Maximum messages in one answer to history.'),
};
