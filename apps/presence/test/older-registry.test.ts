/** Presence after Redis restarted from an older dump: real edges, real presence, from the members' view. */
import { connectHubbub } from '@hubbub/server';
import { eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { withNamespaces } from '../../../tests/presence/config-file.js';
import { cleanup } from '../../../tests/support/cleanup.js';
import { startCluster, type TestCluster } from '../../../tests/support/cluster.js';
import { connect, type RawClient } from '../../../tests/support/raw-client.js';
import type { TestRedis } from '../../../tests/support/redis.js';
import { startSentinelRedis } from '../../../tests/support/redis-sentinel.js';
import { enter, heard, rosterOf } from './support/members.js';

const ROOMS = Array.from({ length: 6 }, (_, index) => `chat-${index}`);
const LONG_STORY_MS = 120_000;
/** Without a grace, so that a wrong leave is heard during the story. */
const ENV = { HUBBUB_NODE_LEASE_MS: '4000' };
/** While a registry fails over, an edge refuses questions immediately, and the witness asks again. */
const UNLIMITED = { HUBBUB_MAX_FRAMES_PER_SECOND: '0', HUBBUB_MAX_USER_FRAMES_PER_SECOND: '0' };
const withoutGrace = () => ({ ...ENV, ...withNamespaces({ default: { leaveGraceMs: 0, memberEvents: true } }) });

interface Story {
  readonly cluster: TestCluster;
  /** In every room, on the second edge. */
  readonly witness: RawClient;
  /** Enters one room, on the first or the second edge in turn, and waits until the witness hears it. */
  enter(user: string): Promise<void>;
  /** As `enter`, while presence does not answer. */
  enterUnheard(user: string): Promise<void>;
  /** The user's connection ends; waits until the witness hears that the user left. */
  leave(user: string): Promise<void>;
  /** As `leave`, while presence does not answer. */
  leaveUnheard(user: string): Promise<void>;
  /** The connected users, by room. */
  expected(): Record<string, string[]>;
  roster(): Promise<Record<string, string[]>>;
  /** Events of members that a service received, such as `member_joined alice`. */
  readonly events: readonly string[];
}

interface StoryOptions {
  /** Default 1. */
  readonly presence?: number;
  /** The URL of a registry of its own. */
  readonly registry?: string;
}

async function story({ presence = 1, registry }: StoryOptions = {}): Promise<Story> {
  const env = {
    ...withoutGrace(),
    ...(registry !== undefined && { ...UNLIMITED, HUBBUB_REGISTRY_REDIS_URL: registry }),
  };
  const cluster = await startCluster({ edges: 2, presence, env });
  const events = await serviceOf(cluster, registry);
  const witness = await enter(cluster, 1, 'witness', ...ROOMS);
  const members = new Map<string, { readonly room: string; readonly client: RawClient }>();
  let count = 0;
  const enterUnheard = async (user: string): Promise<void> => {
    const room = ROOMS[count % ROOMS.length] ?? '';
    const client = await connect(cluster.edge(count++ % 2).wsUrl, { name: user, token: cluster.token({ user }) });
    members.set(user, { room, client });
    await client.join(room);
  };
  const leaveUnheard = async (user: string): Promise<void> => {
    await members.get(user)?.client.close();
    members.delete(user);
  };
  return {
    cluster,
    witness,
    events,
    enterUnheard,
    leaveUnheard,
    async enter(user) {
      await enterUnheard(user);
      await eventually(() => heard(witness, 'user_joined').includes(user));
    },
    async leave(user) {
      await leaveUnheard(user);
      await eventually(() => heard(witness, 'user_left').includes(user));
    },
    expected: () =>
      Object.fromEntries(
        ROOMS.map(room => {
          const users = [...members].filter(([, member]) => member.room === room).map(([user]) => user);
          return [room, ['witness', ...users].sort()];
        }),
      ),
    async roster() {
      const rosters = await Promise.all(ROOMS.map(room => rosterOf(witness, room)));
      return Object.fromEntries(ROOMS.map((room, index) => [room, rosters[index] ?? []]));
    },
  };
}

async function serviceOf({ redis }: TestCluster, registry = redis.url): Promise<readonly string[]> {
  const service = connectHubbub({ redisUrl: redis.url, registryRedisUrl: registry, redisPrefix: redis.prefix });
  cleanup(() => service.close());
  const events: string[] = [];
  const consumer = service.onLifecycle({ group: 'story' }, event => {
    if (event.event.startsWith('member_') && 'user' in event) events.push(`${event.event} ${event.user}`);
  });
  await eventually(() => consumer.leading);
  return events;
}

/** The leases of the edges in the dump end: the restored ones are overdue then. */
async function leasesEnd({ redis }: TestCluster): Promise<void> {
  const endMs = (await timeOf(redis)) + Number(ENV.HUBBUB_NODE_LEASE_MS);
  await eventually(async () => (await timeOf(redis)) > endMs);
}

async function timeOf(redis: TestRedis): Promise<number> {
  return Number((await redis.cli('TIME')).split('\n')[0]) * 1000;
}

/** After the first start presence restores for a while: joins of sessions that edges report again are not announced. */
async function restorationEnds({ redis }: TestCluster): Promise<void> {
  const endMs = Number(await redis.cli('HGET', `${redis.prefix}:presence:{p0}:meta`, 'restoring'));
  await eventually(async () => (await timeOf(redis)) > endMs, { withinMs: 60_000 });
}

/** The reports in the logs of all partitions, as text. */
async function reportsIn({ redis }: TestCluster): Promise<string> {
  const logs = Array.from({ length: 16 }, (_, partition) => `${redis.prefix}:presence:{p${partition}}:reports`);
  const connection = redis.connection();
  return JSON.stringify(await Promise.all(logs.map(log => connection.xrange(log, '-', '+'))));
}

/** Waits until every roster names those who are connected; prints how long that took. */
async function converge({ roster, expected }: Story, since: number): Promise<void> {
  await eventually(
    async () => {
      expect(await roster()).toEqual(expected());
      return true;
    },
    { withinMs: 40_000, describe: 'every roster names the users who are connected' },
  );
  console.log(`rosters were right ${Math.round(performance.now() - since)} ms after Redis was back`);
}

function expectOnce(witness: RawClient, type: string, users: readonly string[]): void {
  expect({ [type]: heard(witness, type).toSorted() }).toEqual({ [type]: users.toSorted() });
}

/** Each of the users once; the witness is in several rooms. */
function expectEventsOnce({ events }: Story, event: string, users: readonly string[]): void {
  const of = events.filter(text => text.startsWith(`${event} `) && text !== `${event} witness`);
  expect(of.toSorted()).toEqual(users.map(user => `${event} ${user}`).toSorted());
}

const named = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}${index}`);

describe('presence survived', () => {
  test.each([
    ['whose leases of edges are valid', false],
    ['whose leases of edges are over', true],
  ])(
    'a dump %s: users who joined after it stay, users who left after it stay away, and neither is announced again',
    async (_, old) => {
      const it = await story({ presence: 2 });
      const [stayed, left, joined] = [named('stayed-', 6), named('left-', 6), named('joined-', 6)];
      for (const user of [...stayed, ...left]) await it.enter(user);
      await it.cluster.redis.cli('SAVE');
      for (const user of joined) await it.enter(user);
      for (const user of left) await it.leave(user);
      // Events that Redis loses before a service reads them are lost.
      await eventually(() => left.every(user => it.events.includes(`member_left ${user}`)));
      if (old) await leasesEnd(it.cluster);
      await it.cluster.redis.restart({ keepData: 'saved' });
      await converge(it, performance.now());
      for (const user of ['later-0', 'later-1']) await it.enter(user);
      await it.leave('joined-0');
      expectOnce(it.witness, 'user_joined', [...stayed, ...left, ...joined, 'later-0', 'later-1']);
      expectOnce(it.witness, 'user_left', [...left, 'joined-0']);
      await eventually(() => it.events.includes('member_left joined-0'));
      expectEventsOnce(it, 'member_joined', [...stayed, ...left, ...joined, 'later-0', 'later-1']);
      expectEventsOnce(it, 'member_left', [...left, 'joined-0']);
    },
    LONG_STORY_MS,
  );

  test(
    'reports that Redis lost before they were applied: the joins and the leaves are announced, each once, also to services',
    async () => {
      const it = await story();
      await restorationEnds(it.cluster);
      const [stayed, leaving, joining] = [named('stayed-', 6), named('leaving-', 6), named('joining-', 6)];
      for (const user of [...stayed, ...leaving]) await it.enter(user);
      await it.cluster.redis.cli('SAVE');
      it.cluster.presence[0]?.pause();
      for (const user of joining) await it.enterUnheard(user);
      const before = await reportsIn(it.cluster);
      for (const user of leaving) await it.leaveUnheard(user);
      await eventually(async () => {
        const reports = await reportsIn(it.cluster);
        const isLeaving = (user: string) => reports.split(user).length > before.split(user).length;
        return joining.every(user => reports.includes(user)) && leaving.every(isLeaving);
      });
      await it.cluster.redis.restart({ keepData: 'saved' });
      // An edge without its subscription would miss announcements, and report that as a gap.
      for (const room of ROOMS) await it.witness.nextFrame({ type: 'room_gap', room });
      const since = performance.now();
      it.cluster.presence[0]?.resume();
      await converge(it, since);
      await eventually(() => heard(it.witness, 'user_left').length === leaving.length);
      await it.enter('later');
      expectOnce(it.witness, 'user_joined', [...stayed, ...leaving, ...joining, 'later']);
      expectOnce(it.witness, 'user_left', leaving);
      await eventually(() => it.events.includes('member_joined later'));
      expectEventsOnce(it, 'member_joined', [...stayed, ...leaving, ...joining, 'later']);
      expectEventsOnce(it, 'member_left', leaving);
    },
    LONG_STORY_MS,
  );
});

describe('a failover of the registry', () => {
  test.each([
    ['presence survived', false],
    ['presence was killed too', true],
  ])(
    'to a replica that lacks joins and leaves, %s: rosters are right, and nothing that was announced is announced again',
    async (_, killed) => {
      const registry = await startSentinelRedis();
      const [primary, replica] = registry.servers;
      const it = await story({ registry: registry.url });
      const [stayed, left, joined] = [named('stayed-', 6), named('left-', 6), named('joined-', 6)];
      for (const user of [...stayed, ...left]) await it.enter(user);
      // Nothing may wait in the replica's socket: it would be applied after the thaw.
      await replica.pause();
      cleanup(() => replica.resume());
      await primary.cli('CLIENT', 'KILL', 'TYPE', 'replica');
      for (const user of joined) await it.enter(user);
      for (const user of left) await it.leave(user);
      await eventually(() => left.every(user => it.events.includes(`member_left ${user}`)));
      if (killed) await it.cluster.presence[0]?.kill();
      await primary.halt();
      await replica.resume();
      await eventually(async () => (await registry.primary()) === replica, { describe: 'the replica is the primary' });
      const since = performance.now();
      if (killed) await it.cluster.addPresence();
      await converge(it, since);
      await it.enter('later');
      await it.leave('joined-0');
      expectOnce(it.witness, 'user_joined', [...stayed, ...left, ...joined, 'later']);
      expectOnce(it.witness, 'user_left', [...left, 'joined-0']);
    },
    LONG_STORY_MS,
  );
});

describe('presence was killed too', () => {
  test.each([1, 2])(
    '%i other instances take over: rosters are right, and nothing that was announced is announced again',
    async instances => {
      const it = await story({ presence: instances });
      const [stayed, left, joined] = [named('stayed-', 6), named('left-', 6), named('joined-', 6)];
      for (const user of [...stayed, ...left]) await it.enter(user);
      await it.cluster.redis.cli('SAVE');
      for (const user of joined) await it.enter(user);
      for (const user of left) await it.leave(user);
      await Promise.all(it.cluster.presence.map(process => process.kill()));
      await it.cluster.redis.restart({ keepData: 'saved' });
      const since = performance.now();
      for (let n = 0; n < instances; n++) await it.cluster.addPresence();
      await converge(it, since);
      await it.enter('later');
      await it.leave('joined-0');
      expectOnce(it.witness, 'user_joined', [...stayed, ...left, ...joined, 'later']);
      expectOnce(it.witness, 'user_left', [...left, 'joined-0']);
    },
    LONG_STORY_MS,
  );
});
