/** Ten random runs of joins, leaves, crashes and pauses on a real Redis: once quiet, the registry matches the truth. */
import { RedisNodeLeases, RedisReportLog, type RedisTopology } from '@hubbub/broker';
import { createMetricsRegistry } from '@hubbub/runtime';
import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { cleanup } from '../../../tests/support/cleanup.js';
import { startRedis, type TestRedis } from '../../../tests/support/redis.js';
import { SILENT } from '../../../tests/support/silent-logger.js';
// The real reporter: its behavior when fenced is half of this test.
import { PresenceReporter, type ReportedSession } from '../../edge/src/presence/presence-reporter.js';
import { createRedisPresence } from '../src/redis/redis-presence.js';
import { RedisRegistryReader } from '../src/redis/redis-registry-reader.js';
import type { Presence } from '../src/start-presence.js';

const ROOMS = ['red', 'green', 'blue'];
const USERS = 8;
const STEPS = 120;
const NODE_LEASE_MS = 1000;
const GRACE_MS = 200;

interface Session extends ReportedSession {
  state: 'open' | 'closed';
  readonly rooms: Set<string>;
}

interface Edge {
  readonly sessions: Set<Session>;
  readonly reporter: PresenceReporter;
  readonly redis: RedisTopology;
}

/** A small seeded generator: mulberry32. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return below => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

class Run {
  readonly edges: Edge[] = [];
  readonly presences: Array<{ instance: string; presence: Presence; redis: RedisTopology }> = [];
  readonly #redis: TestRedis;
  readonly #random: (below: number) => number;
  #count = 0;

  constructor(redis: TestRedis, seed: number) {
    this.#redis = redis;
    this.#random = randomOf(seed);
    this.addPresence();
    this.addPresence();
    for (let edge = 0; edge < 3; edge++) this.addEdge();
  }

  addEdge(): void {
    const { prefix } = this.#redis;
    const redis = this.#redis.topology();
    const sessions = new Set<Session>();
    const reporter = new PresenceReporter({
      log: new RedisReportLog({ redis, prefix }),
      leases: new RedisNodeLeases({ redis, prefix, leaseMs: NODE_LEASE_MS }),
      nodeId: `edge-${this.#count++}`,
      snapshot: () => sessions,
      refuseQuestion: () => {},
      logger: SILENT,
    });
    reporter.start();
    cleanup(() => reporter.close());
    this.edges.push({ sessions, reporter, redis });
  }

  addPresence(): void {
    const redis = this.#redis.topology();
    const instance = `presence-${this.#count++}`;
    const presence = createRedisPresence({
      instance,
      prefix: this.#redis.prefix,
      redis,
      nodeLeaseMs: NODE_LEASE_MS,
      instanceLeaseMs: 2000,
      rules: { namespace: () => ({ presence: 'on', leaveGraceMs: GRACE_MS }), userGraceMs: GRACE_MS },
      logger: SILENT,
      metrics: createMetricsRegistry(),
    });
    cleanup(() => presence.close());
    this.presences.push({ instance, presence, redis });
  }

  async step(): Promise<void> {
    const edge = this.#pick(this.edges);
    const what = this.#random(100);
    if (what < 45) this.#join(edge);
    else if (what < 60) this.#leave(edge);
    else if (what < 85) this.#close(edge);
    else if (what < 88) await this.#crashEdge(edge);
    else if (what < 92) await this.#declareDead(edge);
    else if (what < 94) await this.#replacePresence(false);
    else if (what < 96) await this.#replacePresence(true);
    else if (what < 97) await this.#redis.cli('FLUSHALL');
    else await new Promise(resolve => setTimeout(resolve, this.#random(300))); // A random pause is the story here.
  }

  /** Room → its users. */
  truth(): Record<string, string[]> {
    return Object.fromEntries(
      ROOMS.map(room => {
        const sessions = this.edges.flatMap(edge => [...edge.sessions]).filter(session => session.rooms.has(room));
        return [room, [...new Set(sessions.map(session => session.user.id))].sort()];
      }),
    );
  }

  closeAll(): void {
    for (const edge of this.edges) {
      for (const session of [...edge.sessions]) this.#end(edge, session);
    }
  }

  #join(edge: Edge): void {
    let session = this.#random(3) === 0 ? undefined : this.#any(edge);
    if (session === undefined) {
      const id = `user-${this.#random(USERS)}`;
      const user = { id, name: id };
      session = {
        id: `s${this.#count++}`,
        user,
        userIn: () => user,
        state: 'open',
        rooms: new Set(),
        statusIn: () => undefined,
      };
      edge.sessions.add(session);
      edge.reporter.sessionOpened(session);
    }
    const room = this.#pick(ROOMS);
    session.rooms.add(room);
    edge.reporter.joined(session, room);
  }

  #leave(edge: Edge): void {
    const session = this.#any(edge);
    const [room] = session?.rooms ?? [];
    if (session === undefined || room === undefined) return;
    session.rooms.delete(room);
    edge.reporter.left(session, room);
  }

  #close(edge: Edge): void {
    const session = this.#any(edge);
    if (session !== undefined) this.#end(edge, session);
  }

  #end(edge: Edge, session: Session): void {
    session.state = 'closed';
    edge.reporter.sessionClosed(session);
    edge.sessions.delete(session);
  }

  /** Silences the edge with reports pending, and declares it dead without waiting for its lease. */
  async #crashEdge(edge: Edge): Promise<void> {
    edge.redis.close();
    this.edges.splice(this.edges.indexOf(edge), 1);
    await this.#declareDead(edge);
    this.addEdge();
  }

  /** Expires the lease of the edge without its knowledge, as a long pause does. */
  async #declareDead(edge: Edge): Promise<void> {
    await this.#redis.cli('ZADD', `${this.#redis.prefix}:presence:{nodes}:alive`, 'XX', '1', edge.reporter.incarnation);
  }

  async #replacePresence(crash: boolean): Promise<void> {
    const [replaced] = this.presences.splice(this.#random(this.presences.length), 1);
    this.addPresence();
    if (replaced === undefined) return;
    if (!crash) return replaced.presence.close();
    replaced.redis.close();
    await this.#redis.cli('ZADD', `${this.#redis.prefix}:presence:instances`, 'XX', '1', replaced.instance);
  }

  #any(edge: Edge): Session | undefined {
    return [...edge.sessions][this.#random(Math.max(1, edge.sessions.size))];
  }

  #pick<T>(from: readonly T[]): T {
    const picked = from[this.#random(from.length)];
    if (picked === undefined) throw new Error('There is nothing to pick from.');
    return picked;
  }
}

async function play(seed: number): Promise<void> {
  const redis = await startRedis();
  const run = new Run(redis, seed);
  for (let step = 0; step < STEPS; step++) await run.step();

  const commands = redis.connection();
  const registry = new RedisRegistryReader({ redis: redis.topology(), prefix: redis.prefix, partitions: 16 });
  await eventually(
    async () => {
      for (const [room, users] of Object.entries(run.truth())) {
        const { entries, users: count } = await registry.roster(room, { limit: 1000 });
        expect({ room, users: entries.map(entry => entry.id).sort() }).toEqual({ room, users });
        expect(count).toBe(users.length);
      }
      for (let user = 0; user < USERS; user++) await expectUser(registry, run, `user-${user}`);
      return true;
    },
    { describe: `the registry of run ${seed} equals the model` },
  );

  run.closeAll();
  await eventually(
    async () => {
      const keys = await commands.keys(`${redis.prefix}:*`);
      const rows = keys.filter(key => /:(room:|users:|rooms$)/.test(key));
      expect(rows).toEqual([]);
      for (const key of keys) expect(await commands.pttl(key), `${key} has a time to live`).toBeGreaterThan(0);
      return true;
    },
    { describe: `no row of run ${seed} is left` },
  );
}

test.each([
  [1, 2, 3, 4, 5],
  [6, 7, 8, 9, 10],
])(
  'runs %i, %i, %i, %i and %i: rosters and users are right, and no row is left after everyone has gone',
  async (...seeds) => {
    await Promise.all(seeds.map(play));
  },
);

async function expectUser(registry: RedisRegistryReader, run: Run, id: string): Promise<void> {
  const { sessions } = await registry.user(id);
  const here = run.edges.flatMap(edge => [...edge.sessions]).filter(session => session.user.id === id);
  const registered = Object.fromEntries(sessions.map(({ session, rooms }) => [session, [...rooms].sort()]));
  expect({ id, registered }).toEqual({
    id,
    registered: Object.fromEntries(here.map(session => [session.id, [...session.rooms].sort()])),
  });
}
