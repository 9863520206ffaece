/** The accounts of an edge are bounded, and an answer fits into its limit. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { HubbubError } from '@hubbub/protocol';
import { ACCOUNT_MAX_BYTES, nodeAccount } from '@hubbub/protocol/account';
import { createMetricsRegistry } from '@hubbub/runtime';
import { expect, test } from 'vitest';
import { encodeAccount } from '../src/account/account-answer.js';
import { createAccountMetrics } from '../src/account/account-metrics.js';
import { Accounts } from '../src/account/accounts.js';
import { addFrame, readFrames } from '../src/account/last-frames.js';
import type { AccountedSession } from '../src/account/session-facts.js';
import { TRAIL_MAX_ENTRIES, Trail } from '../src/account/trail.js';

function session(id: string, rooms: readonly string[] = []): AccountedSession {
  return {
    id,
    user: { id: 'u1', name: 'One' },
    address: '127.0.0.1',
    encoding: 'json',
    state: 'open',
    pathRoom: undefined,
    rooms: new Set(rooms),
    openedAtSeconds: 1_700_000_000,
    joinedPathRoomAtSeconds: 0,
    lastFrames: 0,
    expiresAtMs: undefined,
    waitingFrames: 0,
    cost: undefined,
    socket: { getBufferedAmount: () => 0 },
  };
}

const open = (bounds: { explainMaxEntries?: number; explainMaxBytes?: number } = {}) => {
  const registry = createMetricsRegistry();
  const metrics = createAccountMetrics(registry);
  const accounts = new Accounts({ explainMaxEntries: 1000, explainMaxBytes: 10_000_000, ...bounds }, metrics);
  const dropped = async (kind: string) =>
    (await registry.getSingleMetric('hubbub_edge_account_dropped_total')?.get())?.values.find(
      ({ labels }) => labels.kind === kind,
    )?.value;
  return { accounts, dropped };
};

const load = () => ({
  ...{ sessions: 0, rooms: 0, subscriptions: 0, loop_utilization: 0, shed_share: 0, resident_bytes: 0 },
  ...{ state: 'serving', ready: true },
});
const noSessions = { get: () => undefined, ofUser: () => [], [Symbol.iterator]: () => [].values() };
const answerOf = (accounts: Accounts, subject: Parameters<typeof encodeAccount>[0]) => {
  const parts = {
    node: 'edge-1',
    accounts,
    sessions: noSessions,
    membersOf: () => 0,
    positionOf: () => undefined,
    load,
  };
  const encoded = encodeAccount(subject, parts);
  return { bytes: encoded.length, account: nodeAccount.parse(JSON.parse(Buffer.from(encoded).toString())) };
};

const closing = { code: 1000, reason: '' };

test('the last eight frames are read oldest first, every label among them', () => {
  let packed = 0;
  for (const label of ['ping', 'history', 'client_event', 'unreadable'] as const) packed = addFrame(packed, label);
  expect(readFrames(packed)).toEqual(['ping', 'history', 'client_event', 'unreadable']);
  for (let n = 0; n < 8; n++) packed = addFrame(packed, 'resume');
  expect(readFrames(packed)).toEqual(Array.from({ length: 8 }, () => 'resume'));
  expect(readFrames(0)).toEqual([]);
});

test('a trail keeps its newest entries, and counts repetitions', () => {
  const trail = new Trail();
  for (let n = 0; n < 3; n++) trail.add({ event: 'refused', code: 'RATE_LIMITED', reason: `in ${n} ms` }, n);
  expect(trail.entries).toMatchObject([{ atMs: 0, lastAtMs: 2, count: 3 }]);
  for (let n = 0; n < TRAIL_MAX_ENTRIES; n++) trail.add({ event: 'joined', room: `r${n}` }, n);
  expect(trail.entries).toHaveLength(TRAIL_MAX_ENTRIES);
  expect(trail.dropped).toBe(1);
});

test('the join of the room of the path is an entry, and takes no trail', () => {
  const { accounts } = open();
  const joinedAt = { joinedPathRoomAtSeconds: 1_700_000_001 };
  accounts.sessionClosed({ ...session('s1'), pathRoom: 'general', ...joinedAt }, closing);
  accounts.sessionClosed({ ...session('s2'), pathRoom: 'general' }, closing);
  const entriesOf = (id: string) => answerOf(accounts, { session_id: id }).account.sessions[0]?.entries;
  expect(entriesOf('s1')).toEqual([{ at: '2023-11-14T22:13:21.000Z', event: 'joined', room: 'general', count: 1 }]);
  expect(entriesOf('s2')).toEqual([]);
});

test('ended sessions make place for newer ones, which is counted', async () => {
  const { accounts, dropped } = open({ explainMaxEntries: 10 });
  for (let n = 0; n < 15; n++) accounts.sessionClosed(session(`s${n}`), closing);
  expect(accounts.closedSession('s4')).toBeUndefined();
  expect(accounts.closedSession('s14')).toBeDefined();
  expect(await dropped('closed_session')).toBe(5);
});

test('a session that floods with refusals leaves the entries of others alone', () => {
  const { accounts } = open();
  accounts.note({ id: 'calm' }, { event: 'joined', room: 'general' });
  for (let n = 0; n < 100_000; n++) {
    accounts.frameRefused({ id: 'loud' }, 'typing', new HubbubError('RATE_LIMITED', `in ${n} ms`));
    accounts.frameRefused({ id: 'loud' }, 'ping', new HubbubError('RATE_LIMITED', `in ${n} ms`));
  }
  expect(accounts.trailOf('calm')?.entries).toHaveLength(1);
  expect(accounts.trailOf('loud')?.entries).toHaveLength(TRAIL_MAX_ENTRIES);
});

test('an answer that is too long leaves out its oldest sessions, and reports that', () => {
  const { accounts } = open({ explainMaxBytes: 100_000_000 });
  const rooms = Array.from({ length: 100 }, (_, n) => `${'room'.repeat(20)}${n}`);
  for (let n = 0; n < 200; n++) accounts.sessionClosed(session(`s${n}`, rooms), closing);
  const { bytes, account } = answerOf(accounts, { user_id: 'u1' });
  expect(bytes).toBeLessThan(ACCOUNT_MAX_BYTES);
  expect(account.truncated).toBe(true);
  expect(account.sessions.length).toBeGreaterThan(0);
});

test('even one session with the longest names fits', () => {
  const { accounts } = open();
  const rooms = Array.from({ length: 100 }, (_, n) => `${'\u{1f600}'.repeat(300)}${n}`);
  for (const room of rooms) accounts.note({ id: 's1' }, { event: 'joined', room, reason: room });
  accounts.sessionClosed(session('s1', rooms), closing);
  expect(answerOf(accounts, { session_id: 's1' }).bytes).toBeLessThan(ACCOUNT_MAX_BYTES);
});

const request = (claims: unknown, pathRoom?: string) => ({
  authorization: `Bearer e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`,
  subprotocols: '',
  queryToken: undefined,
  address: '127.0.0.1',
  pathRoom,
});

test('a refused handshake is found by the claimed user, and its reason shows no token', () => {
  const { accounts } = open();
  const error = new HubbubError('UNAUTHORIZED', 'bad token aaaaaaaa.bbbbbbbbbb.cccccccc here');
  accounts.handshakeRefused(error, request({ sub: 'u1' }));
  const { account } = answerOf(accounts, { user_id: 'u1' });
  expect(account.refusals).toMatchObject([{ user_id: 'u1', code: 'UNAUTHORIZED', reason: 'bad token [token] here' }]);
});

test.each([
  ['no claims', null],
  ['no user', {}],
  ['a user that no token may name', { sub: '*' }],
  ['a user that is no text', { sub: { toString: 1 } }],
])('a refused token with %s is not remembered, and harms nothing', (_, claims) => {
  const { accounts } = open();
  accounts.handshakeRefused(new HubbubError('UNAUTHORIZED', 'no'), request(claims));
  expect(accounts.refusedClients(() => true)).toEqual([]);
});

test('a flood of refused handshakes reads few tokens', () => {
  const { accounts } = open();
  const startMs = performance.now();
  for (let n = 0; n < 10_000; n++) {
    accounts.handshakeRefused(new HubbubError('UNAUTHORIZED', 'no'), request({ sub: `u${n}` }));
  }
  // A burst of 200, and 100 a second.
  const most = 201 + (performance.now() - startMs) / 10;
  expect(accounts.refusedClients(() => true).length).toBeLessThan(most);
});

/** Of the heap, after a collection of garbage. */
function heldBytes(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}

test('a reason keeps 200 characters in memory, and not the text that it was cut from', () => {
  const { accounts } = open();
  const before = heldBytes();
  for (let n = 0; n < 500; n++) {
    const hostile = Buffer.alloc(20_000, 97 + (n % 26)).toString();
    accounts.frameRefused(session(`s${n}`), 'unreadable', new HubbubError('INVALID_PAYLOAD', `${n}: ${hostile}`));
  }
  expect((heldBytes() - before) / 500).toBeLessThan(5000);
  expect(accounts.trailOf('s499')?.entries[0]?.reason).toHaveLength(200);
});

test('sessions that come and go leave nothing behind, however many they are', () => {
  const { accounts } = open({ explainMaxEntries: 100 });
  const comeAndGo = (count: number) => {
    for (let n = 0; n < count; n++) {
      accounts.note({ id: `s${n}` }, { event: 'joined', room: 'general' });
      accounts.sessionClosed(session(`s${n}`), closing);
    }
  };
  comeAndGo(10_000);
  const before = heldBytes();
  comeAndGo(200_000);
  expect(heldBytes() - before).toBeLessThan(1_000_000);
});

test('with 0 entries nothing is remembered', () => {
  const { accounts } = open({ explainMaxEntries: 0 });
  accounts.note({ id: 's1' }, { event: 'joined', room: 'general' });
  accounts.sessionClosed(session('s1'), closing);
  accounts.gap({ room: 'general' }, 'no_history');
  expect([accounts.trailOf('s1'), accounts.closedSession('s1'), accounts.gapsOf({ room: 'general' })]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});
