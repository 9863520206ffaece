/**
 * One edge as presence sees it, in its own process: the real reporter, sessions without sockets, and a subscription to the
 * node's channel. After SIGKILL it is a dead edge.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { openRedisTopology, RedisBroker, RedisNodeLeases, RedisReportLog } from '@hubbub/broker';
import { Channels, decodeEnvelope } from '@hubbub/protocol';
import { eventually, obey } from '@hubbub/tools/kit';
// Not part of the edge's interface.
import { PresenceReporter } from '../../../apps/edge/dist/presence/presence-reporter.js';

/** Sessions that open before the reporter gets its turn. */
const BITE = 500;
const BETWEEN_BITES_MS = 5;
const CONNECT_MS = 5000;

const { redisUrl, prefix, nodeId, first, sessions: count, rooms } = JSON.parse(process.argv[2]);
const troubles = [];
const onError = error => troubles.push(String(error));
const redis = openRedisTopology(redisUrl, { commandTimeoutMs: CONNECT_MS, onError });
const broker = new RedisBroker(redis);
await redis.connected(CONNECT_MS);
const sessions = [];
const waiting = new Set();

const reporter = new PresenceReporter({
  log: new RedisReportLog({ redis, prefix }),
  leases: new RedisNodeLeases({ redis, prefix }),
  nodeId,
  snapshot: () => sessions,
  logger: { info() {}, warn: ({ event, reason }) => troubles.push(`${event}: ${reason}`) },
});

await eventually(() => broker.subscribe(new Channels(prefix).node(nodeId)).then(() => true), {
  describe: 'the broker subscribes',
});
reporter.start();
while (!reporter.isReporting) await sleep(BETWEEN_BITES_MS);

obey({
  /** Resolves when the process can execute orders. */
  ready() {},

  /** Joins all sessions; resolves with the time when presence has answered every join. */
  async open() {
    const answered = new Promise(resolve => {
      broker.onEnvelope((_channel, bytes) => {
        for (const id of decodeEnvelope(bytes)?.sessions ?? []) waiting.delete(id);
        if (sessions.length === count && waiting.size === 0) resolve(Date.now());
      });
    });
    await openAll();
    return await answered;
  },

  troubles: () => troubles,

  close: () => reporter.close(),
});

async function openAll() {
  for (let number = first; number < first + count; number++) {
    const user = `user-${number}`;
    const room = `room-${number % rooms}`;
    const id = `${nodeId}-${number}`;
    const session = { id, user: { id: user, name: user }, state: 'open', rooms: new Set(), statusIn: () => undefined };
    sessions.push(session);
    waiting.add(session.id);
    reporter.sessionOpened(session);
    session.rooms.add(room);
    reporter.joined(session, room);
    if (number % BITE === 0) await sleep(BETWEEN_BITES_MS);
  }
}
