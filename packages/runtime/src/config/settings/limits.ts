/** What one client, user or address may take: every limit with its default. */
import { integer, MINUTE_MS } from './fields.js';

export const limitSettings = {
  maxFrameBytes: integer(64, 1_048_576).default(4096).describe('Size of a frame from a client.'),
  maxFramesPerSecond: integer(0, 1_000_000)
    .default(100)
    .describe('Frames of one session a second; above it RATE_LIMITED. 0 is no limit.'),
  maxFramesBurst: integer(1, 1_000_000)
    .default(200)
    .describe('Frames that a session may send at once when it has been quiet.'),
  maxUserFramesPerSecond: integer(0, 1_000_000)
    .default(500)
    .describe('Frames of all sessions of a user on this edge a second, and twice that at once. 0 is no limit.'),
  maxAddressFramesPerSecond: integer(0, 10_000_000)
    .default(5000)
    .describe(
      'Frames of all sessions of an address (IPv6: of a /64) on this edge a second, and twice that at once. 0 is no limit.',
    ),
  maxRefusalsPerMinute: integer(1, 1_000_000)
    .default(300)
    .describe('Frames of one session that may be refused in a minute; a session that goes on is closed.'),
  maxCallsPerSecond: integer(0, 10_000_000)
    .default(500)
    .describe(
      'Calls to Redis that the frames of one session may cause a second, on average; above it RATE_LIMITED. 4 seconds’ worth at once, or 3 for each of maxRooms. 0 is no limit.',
    ),
  maxUserCallsPerSecond: integer(0, 10_000_000)
    .default(2000)
    .describe('The same of all sessions of a user on this edge (without a token: of all sessions of an address).'),
  maxNamespaceCallsPerSecond: integer(0, 10_000_000)
    .default(100_000)
    .describe('The same of all sessions on this edge, for the rooms of one namespace.'),
  maxBytesOutPerSecond: integer(0, 10_737_418_240)
    .default(1_048_576)
    .describe(
      'Bytes of answers (history, online_users) and replays that one session may ask for a second, on average; above it RATE_LIMITED. 16 seconds’ worth at once. 0 is no limit.',
    ),
  maxUserBytesOutPerSecond: integer(0, 10_737_418_240)
    .default(4_194_304)
    .describe('The same of all sessions of a user on this edge (without a token: of all sessions of an address).'),
  maxNamespaceBytesOutPerSecond: integer(0, 10_737_418_240)
    .default(134_217_728)
    .describe('The same of all sessions on this edge, for the rooms of one namespace.'),
  maxUserStoredBytes: integer(0, 1_099_511_627_776)
    .default(67_108_864)
    .describe(
      'Bytes that the messages of a user may fill in the histories of a namespace within its historyTtlMs, from this edge; above it RATE_LIMITED. 0 is no limit.',
    ),
  maxNamespaceStoredBytes: integer(0, 1_099_511_627_776)
    .default(4_294_967_296)
    .describe('The same of all users of this edge.'),
  maxConnectionsPerAddress: integer(0, 1_000_000)
    .default(1000)
    .describe(
      'Connections of one address (IPv6: of a /64) to this edge. 0 is no limit. Behind a proxy set trustedProxies or trustedHops.',
    ),
  reservedDescriptors: integer(8, 100_000)
    .default(64)
    .describe(
      'File descriptors that connections of clients never take: for the admin port, Redis, and the authorizer (one for each pending question). Beyond them this edge refuses with 503.',
    ),
  maxHandshakesPerSecond: integer(0, 1_000_000)
    .default(2000)
    .describe('Handshakes that this edge takes in a second; above it 429. 0 is no limit.'),
  handshakeTimeoutMs: integer(1000, 5 * MINUTE_MS)
    .default(10_000)
    .describe('A connection that has not become a session after so long is closed.'),
  maxHeaderBytes: integer(1024, 65_536)
    .default(4096)
    .describe('Size of the headers of a request, the token among them.'),
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
  pingIntervalMs: integer(1000, 900_000)
    .optional()
    .describe(
      'Silence after which a client pings its edge, as the `welcome` proposes. Less than idleTimeoutMs. Unset: 25000, or half of idleTimeoutMs where that is less.',
    ),
  backoffBaseMs: integer(10, MINUTE_MS)
    .default(1000)
    .describe("Upper bound of a client's first delay before it reconnects, as the `welcome` proposes."),
  backoffCapMs: integer(100, 60 * MINUTE_MS)
    .default(30_000)
    .describe('Upper bound of all such delays. At least backoffBaseMs.'),
  unreadTimeoutMs: integer(1000, 10 * MINUTE_MS)
    .default(10_000)
    .describe('A session for which something waits, and that reads none of it for so long, is cut off.'),
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
  maxReplayBytes: integer(65_536, 17_179_869_184)
    .default(67_108_864)
    .describe(
      'Bytes of messages that an edge keeps for replays, all rooms together; above it the least recently used rooms are read again. One room gets at most a quarter, and at most maxBufferedBytes.',
    ),
  historyPageSize: integer(1, 1000).default(100).describe('Messages in one answer to history.'),
};
