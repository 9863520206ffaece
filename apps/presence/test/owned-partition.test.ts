/** An owner applies its log: reports and deadlines in the order of their times, and the state left to the next owner. */
import { LOG_START, type LogEntry } from '@hubbub/broker';
import { Channels, encodeReports, type Report } from '@hubbub/protocol';
import { createMetricsRegistry } from '@hubbub/runtime';
import { expect, test } from 'vitest';
import { SILENT } from '../../../tests/support/silent-logger.js';
import { MemoryPartitionStore } from '../src/memory/memory-partition-store.js';
import { createPresenceMetrics } from '../src/metrics.js';
import { OwnedPartition, RESTORING_MS } from '../src/owned-partition.js';
import { DEFAULT_NAMESPACE_RULES, DEFAULT_RULES } from '../src/partition/rules.js';
import { HASH_RENEWAL_MS } from '../src/partition-store.js';
import { WireState } from '../src/wire-state.js';
import { type HeardFrame, readEnvelope } from './support/edge-double.js';

const GRACE_MS = DEFAULT_NAMESPACE_RULES.leaveGraceMs;
const START_MS = 1_700_000_000_000;
const EDGE = 'edge-1/a';

class Bench {
  readonly #heard: HeardFrame[] = [];
  readonly store = new MemoryPartitionStore((channel, envelope) => this.#heard.push(readEnvelope(channel, envelope)));
  #positions = 0;

  /** Claims the partition for an instance, even from a holder, and loads it. */
  async takeOver(instance: string, nowMs: number): Promise<OwnedPartition> {
    const claim = await this.store.claim(0, instance, []);
    if (claim === undefined) throw new Error('The partition is held by an instance that is not alive.');
    const metrics = createPresenceMetrics(createMetricsRegistry(), SILENT);
    const parts = { partitions: 1, store: this.store, channels: new Channels('test'), rules: DEFAULT_RULES };
    const deps = { ...parts, metrics, wire: new WireState() };
    const outdated = { former: undefined, logEnd: LOG_START, deadlinesFromMs: nowMs };
    return await OwnedPartition.open(claim, deps, nowMs, claim.lost ? outdated : undefined);
  }

  entry(appendedAtMs: number, ...reports: Report[]): LogEntry {
    const position = `${++this.#positions}-0`;
    return { position, appendedAtMs, text: encodeReports({ incarnation: EDGE, reports }) };
  }

  /** Takes the joins and leaves announced to rooms since the last call. */
  heard(): string[] {
    return this.#heard
      .splice(0)
      .filter(({ type }) => type === 'user_joined' || type === 'user_left')
      .map(({ type, payload }) => `${type} ${(payload.user as { id: string }).id}`);
  }
}

function join(session: string, user = session, room = 'general'): Extract<Report, { kind: 'join' }> {
  return { kind: 'join', room, session, user, name: user };
}

function drop(session: string, user = session, room = 'general'): Report {
  return { kind: 'drop', room, session, user };
}

function leave(session: string, user = session, room = 'general'): Report {
  return { kind: 'leave', room, session, user };
}

test('a user who reconnects after the grace leaves and joins again, even if both reports waited in the log', async () => {
  const bench = new Bench();
  const owned = await bench.takeOver('p1', START_MS);
  const entries = [
    bench.entry(START_MS, join('s1', 'alice'), drop('s1', 'alice')),
    bench.entry(START_MS + GRACE_MS, join('s2', 'alice')),
  ];
  await owned.step(entries, true, START_MS + 2 * GRACE_MS);
  expect(bench.heard()).toEqual(['user_joined alice', 'user_left alice', 'user_joined alice']);
});

test('all due deadlines run before the next entry, however many they are', async () => {
  const bench = new Bench();
  const owned = await bench.takeOver('p1', START_MS);
  const users = Array.from({ length: 2500 }, (_, index) => `u${index}`);
  const roomOf = (user: string) => `room-${Number(user.slice(1)) % 10}`;
  const joins = (session: string) => users.map(user => join(`${session}-${user}`, user, roomOf(user)));
  const drops = users.map(user => drop(`first-${user}`, user, roomOf(user)));
  await owned.step([bench.entry(START_MS, ...joins('first'), ...drops)], true, START_MS);
  expect(bench.heard()).toHaveLength(2500);
  await owned.step([bench.entry(START_MS + GRACE_MS, ...joins('second'))], true, START_MS + GRACE_MS);
  const heard = bench.heard();
  expect(heard.slice(0, 2500).filter(line => line.startsWith('user_left'))).toHaveLength(2500);
  expect(heard.slice(2500).filter(line => line.startsWith('user_joined'))).toHaveLength(2500);
});

test('a deadline after the last entry waits while the log may hold entries from before it', async () => {
  const bench = new Bench();
  const owned = await bench.takeOver('p1', START_MS);
  const nowMs = START_MS + 2 * GRACE_MS;
  await owned.step([bench.entry(START_MS, join('s1', 'alice'), drop('s1', 'alice'))], false, nowMs);
  await owned.step([bench.entry(START_MS + 1, join('s2', 'alice'))], true, nowMs);
  expect(bench.heard()).toEqual(['user_joined alice']);
});

test('the next owner begins after entries that changed nothing', async () => {
  const bench = new Bench();
  const owned = await bench.takeOver('p1', START_MS);
  const entry = bench.entry(START_MS, leave('nobody'));
  await owned.step([entry], true, START_MS);
  expect((await bench.takeOver('p2', START_MS)).position).toBe(entry.position);
});

test('sessions reported again after a loss are not announced as joins, even by an owner that takes over meanwhile', async () => {
  const bench = new Bench();
  const first = await bench.takeOver('p1', START_MS);
  await first.step([bench.entry(START_MS, { ...join('alice'), resync: true })], true, START_MS);
  const second = await bench.takeOver('p2', START_MS + 1000);
  await second.step([bench.entry(START_MS + 2000, { ...join('bob'), resync: true })], true, START_MS + 2000);
  expect(bench.heard()).toEqual([]);
  const endMs = START_MS + RESTORING_MS;
  await second.step([bench.entry(endMs, { ...join('carol'), resync: true })], true, endMs);
  expect(bench.heard()).toEqual(['user_joined carol']);
});

test('a user whose leave was announced after a loss is a join on return, even after a takeover', async () => {
  const bench = new Bench();
  const first = await bench.takeOver('p1', START_MS);
  const witness = { ...join('witness'), resync: true };
  const entries = [bench.entry(START_MS, witness, { ...join('s1', 'alice'), resync: true }, drop('s1', 'alice'))];
  await first.step(entries, true, START_MS + GRACE_MS);
  expect(bench.heard()).toEqual(['user_left alice']);
  const second = await bench.takeOver('p2', START_MS + GRACE_MS);
  const back = bench.entry(START_MS + GRACE_MS + 1, { ...join('s2', 'alice'), resync: true });
  await second.step([back], true, START_MS + GRACE_MS + 1);
  expect(bench.heard()).toEqual(['user_joined alice']);
});

test('leaves after a loss are forgotten when edges have had the time to report again', async () => {
  const bench = new Bench();
  const owned = await bench.takeOver('p1', START_MS);
  await owned.step([bench.entry(START_MS, join('alice'), drop('alice'))], true, START_MS + GRACE_MS);
  const left = () => [...bench.store.hash(0, 'meta').keys()].filter(field => field.startsWith('l'));
  expect(left()).toEqual(['lgeneral alice']);
  await owned.step([], true, START_MS + RESTORING_MS);
  expect(left()).toEqual([]);
  await owned.step([bench.entry(START_MS + RESTORING_MS, join('bob'), leave('bob'))], false, START_MS + RESTORING_MS);
  expect(left()).toEqual([]);
});

test('an owner renews the lifecycle stream for services that are away, from the takeover on', async () => {
  const bench = new Bench();
  const renewed: string[] = [];
  bench.store.renew = async (_claim: unknown, keys: readonly string[] = []) => {
    renewed.push(...keys);
    return true;
  };
  const owned = await bench.takeOver('p1', START_MS);
  expect(renewed).toContain('lifecycle');
  renewed.length = 0;
  await owned.renew(START_MS + 2 * HASH_RENEWAL_MS);
  expect(renewed).toContain('lifecycle');
});
