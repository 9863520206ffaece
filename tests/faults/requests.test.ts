/**
 * Every request through every fault: each frame that expects an answer gets exactly one within a bound, or its connection
 * closes. The content of the answer is not checked here.
 */
import type { Frame } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { startAuthorizer } from '../admission/authorizer-double.js';
import { withNamespaces } from '../presence/config-file.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { connect, type RawClient } from '../support/raw-client.js';
import { startRedis, type TestRedis } from '../support/redis.js';

const ROOM = 'kept:main';
/** Frames of one session run in order, and each of several may wait for a Redis command to time out. */
const BOUND_MS = 30_000;
const COMMAND_TIMEOUT_MS = 1000;

/** Every frame of a client that expects an answer; the number makes rooms and events unique. */
const REQUESTS: Readonly<Record<string, (number: number, token: string) => object>> = {
  join_room: number => ({ type: 'join_room', payload: { room_id: `kept:${number}` } }),
  'join_room, a member': () => ({ type: 'join_room', payload: { room_id: ROOM } }),
  'join_room, asked of the authorizer': number => ({ type: 'join_room', payload: { room_id: `asked:${number}` } }),
  'join_room, from a position': number => ({
    type: 'join_room',
    payload: { room_id: `kept:since-${number}`, epoch: 'gone', offset: 1 },
  }),
  leave_room: number => ({ type: 'leave_room', payload: { room_id: `kept:left-${number}` } }),
  resume: number => ({
    type: 'resume',
    payload: { rooms: [{ room_id: ROOM, epoch: 'gone', offset: 1 }, { room_id: `kept:resumed-${number}` }] },
  }),
  'send_message, with a history': number => ({ type: 'send_message', room: ROOM, payload: { number } }),
  'send_message, without one': number => ({ type: 'send_message', room: 'general', payload: { number } }),
  'send_message, asked of the authorizer': number => ({
    type: 'send_message',
    room: 'asked:main',
    payload: { number },
  }),
  typing: () => ({ type: 'typing', room: ROOM }),
  stop_typing: () => ({ type: 'stop_typing', room: ROOM }),
  online_users: () => ({ type: 'online_users', room: ROOM }),
  set_status: number => ({ type: 'set_status', payload: { status: `status ${number}` } }),
  refresh: (_, token) => ({ type: 'refresh', payload: { token } }),
  history: () => ({ type: 'history', room: ROOM }),
  'a client event': number => ({ type: 'vote_cast', room: ROOM, payload: { number } }),
  'an unknown type': () => ({ type: 'nothing_known', room: 'general' }),
  'a payload of the wrong shape': () => ({ type: 'resume', payload: { rooms: 5 } }),
  ping: () => ({ type: 'ping' }),
};

interface Fault {
  /** Begins the fault while requests are in flight. */
  begin(story: Story): Promise<unknown>;
  end?(story: Story): Promise<unknown>;
  /** Whether the fault closes connections, which counts as an answer. */
  readonly closes?: boolean;
}

const FAULTS: Readonly<Record<string, Fault>> = {
  'no fault': { begin: async () => {} },
  'Redis killed and started empty': { begin: ({ redis }) => redis.halt(), end: ({ redis }) => redis.start() },
  'Redis restarted with its data': { begin: ({ redis }) => redis.restart({ keepData: true }) },
  'Redis frozen': { begin: ({ redis }) => redis.pause(), end: ({ redis }) => redis.resume() },
  'presence killed': {
    begin: async ({ cluster }) => cluster.presence[0]?.kill(),
    end: ({ cluster }) => cluster.addPresence(),
  },
  'presence frozen': {
    begin: async ({ cluster }) => cluster.presence.at(-1)?.pause(),
    end: async ({ cluster }) => cluster.presence.at(-1)?.resume(),
  },
  'the edge has to resync': {
    // As presence does after it lost its registry.
    begin: async ({ redis }) => redis.cli('DEL', `${redis.prefix}:presence:{nodes}:alive`),
  },
  'subscriptions broken': { begin: ({ redis }) => redis.cli('CLIENT', 'KILL', 'TYPE', 'pubsub') },
  'the authorizer down': {
    begin: ({ authorizer }) => authorizer.halt(),
    end: ({ authorizer }) => authorizer.restart(),
  },
  'the authorizer silent': {
    begin: async ({ authorizer }) => {
      authorizer.answer = () => {};
    },
  },
  'the edge drains': {
    begin: async ({ cluster }) => {
      void cluster.edge(0).process.kill('SIGTERM');
    },
    closes: true,
  },
  'the edge killed': { begin: ({ cluster }) => cluster.edge(0).process.kill(), closes: true },
};

interface Story {
  readonly redis: TestRedis;
  readonly cluster: TestCluster;
  readonly authorizer: Awaited<ReturnType<typeof startAuthorizer>>;
}

async function startStory(): Promise<Story> {
  const redis = await startRedis({ own: true });
  const authorizer = await startAuthorizer();
  const cluster = await startCluster({
    edges: 1,
    redis,
    env: {
      ...withNamespaces({
        default: { public: true },
        kept: { public: true, historySize: 100, events: ['vote_cast'] },
        asked: { public: true, authorize: ['join', 'publish'] },
      }),
      HUBBUB_AUTHORIZER_URL: authorizer.url,
      HUBBUB_AUTHORIZER_TIMEOUT_MS: '1000',
      HUBBUB_REDIS_COMMAND_TIMEOUT_MS: String(COMMAND_TIMEOUT_MS),
    },
  });
  return { redis, authorizer, cluster };
}

/** A separate session per request, so that requests do not wait for each other. */
async function openSessions({ cluster }: Story): Promise<Map<string, RawClient>> {
  const entries = Object.keys(REQUESTS).map(async (name, number) => {
    const user = `user-${number}`;
    const client = await connect(cluster.edge(0).wsUrl, { name, token: cluster.token({ user }) });
    for (const room of ['general', ROOM, `kept:left-${number}`]) await client.join(room);
    // On a busy machine the authorizer may miss the short timeout; then the join is repeated.
    await eventually(
      async () => (await client.ask({ type: 'join_room', payload: { room_id: 'asked:main' } })).type === 'ack',
    );
    return [name, client] as const;
  });
  return new Map(await Promise.all(entries));
}

describe.each(Object.entries(FAULTS))('%s', (_, fault) => {
  test('each request gets exactly one answer, or its connection closes', { timeout: 120_000 }, async () => {
    const story = await startStory();
    const sessions = await openSessions(story);
    const isClosed = new Set<RawClient>();
    for (const client of sessions.values()) void client.closed.then(() => isClosed.add(client));
    let asked = 0;
    const ask = (round: string): void => {
      for (const [number, [name, client]] of [...sessions].entries()) {
        const request = REQUESTS[name]?.(number, story.cluster.token({ user: `user-${number}` }));
        if (isClosed.has(client)) continue;
        client.send({ ...request, id: round });
        asked++;
      }
    };
    ask('before');
    const begun = fault.begin(story);
    ask('beside');
    await begun;
    ask('during');
    // The fault lasts long enough for pending Redis commands to time out.
    await new Promise(resolve => setTimeout(resolve, fault.end === undefined ? 0 : 2 * COMMAND_TIMEOUT_MS));
    await fault.end?.(story);
    ask('after');

    const rounds = fault.closes ? ['before', 'beside'] : ['before', 'beside', 'during', 'after'];
    const unanswered = (): string[] =>
      [...sessions].flatMap(([name, client]) =>
        isClosed.has(client)
          ? []
          : rounds.filter(round => answersTo(client, round).length === 0).map(round => `${name}, ${round}`),
      );
    await eventually(() => unanswered().length === 0, { withinMs: BOUND_MS, describe: 'all are answered' }).catch(
      error => {
        throw new Error(`${error.message}\nWithout an answer: ${unanswered().join('; ')}`);
      },
    );
    // Later than any abandoned answer.
    await new Promise(resolve => setTimeout(resolve, 1000));
    const repeated = [...sessions].flatMap(([name, client]) =>
      rounds.flatMap(round => {
        const answers = answersTo(client, round);
        return answers.length > 1 ? [`${name}, ${round}: ${answers.map(({ type }) => type).join(', ')}`] : [];
      }),
    );
    expect(repeated).toEqual([]);
    if (!fault.closes) expect([...isClosed].map(({ name }) => name)).toEqual([]);
    expect(asked).toBeGreaterThanOrEqual(2 * sessions.size);
  });
});

/** Frames that answer a request. A message has its own id. */
function answersTo(client: RawClient, id: string): Frame[] {
  return client.frames.filter(frame => frame.id === id && frame.type !== 'new_message');
}
