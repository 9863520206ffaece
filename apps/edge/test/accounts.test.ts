/** The accounts of an edge are bounded, and an answer fits into its limit. */
import { HubbubError } from '@hubbub/protocol';
import { ACCOUNT_MAX_BYTES, nodeAccount } from '@hubbub/protocol/account';
import { createMetricsRegistry } from '@hubbub/runtime';
import { expect, test } from 'vitest';
import { encodeAccount } from '../src/account/account-answer.js';
import { createAccountMetrics } from '../src/account/account-metrics.js';
import { Accounts } from '../src/account/accounts.js';
import { addFrame, readFrames } from '../src/account/last-frames.js';
import { Newest } from '../src/account/newest.js';
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
const nobody = { get: () => undefined, ofUser: () => [], [Symbol.iterator]: () => [].values() };
const answerOf = (accounts: Accounts, subject: Parameters<typeof encodeAccount>[0]) => {
  const parts = { node: 'edge-1', accounts, sessions: nobody, membersOf: () => 0, positionOf: () => undefined, load };
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

test('the newest values stay, within entries and bytes', () => {
  let drops = 0;
  const newest = new Newest<string>({ maxEntries: 2, maxBytes: 1000, onDropped: () => drops++ });
  for (const key of ['a', 'b', 'c']) newest.put(key, key, 0);
  newest.put('b', 'B', 0); // Newer than c now.
  newest.put('d', 'd', 0);
  expect([...newest.values()]).toEqual(['B', 'd']);
  newest.put('e', 'e', 800);
  expect([...newest.values()]).toEqual(['e']);
  expect(drops).toBe(4);
  newest.delete('e');
  expect(newest.bytes).toBe(0);
});

test('a trail keeps its newest entries, and counts repetitions', () => {
  const trail = new Trail();
  for (let n = 0; n < 3; n++) trail.add({ event: 'refused', code: 'RATE_LIMITED', reason: `in ${n} ms` }, n);
  expect(trail.entries).toMatchObject([{ atMs: 0, lastAtMs: 2, count: 3 }]);
  for (let n = 0; n < TRAIL_MAX_ENTRIES; n++) trail.add({ event: 'joined', room: `r${n}` }, n);
  expect(trail.entries).toHaveLength(TRAIL_MAX_ENTRIES);
  expect(trail.dropped).toBe(1);
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
