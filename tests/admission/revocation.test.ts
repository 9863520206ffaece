/** Revoked tokens and blocked users: no edge keeps or admits a session of theirs, and other users notice nothing. */
import { connectHubbub } from '@hubbub/server';
import { eventually, metricValue, TEST_JWT_SECRET } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { type ApiProcess, startApi } from '../api/api-process.js';
import { withNamespaces } from '../presence/config-file.js';
import { cleanup } from '../support/cleanup.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { jwt } from '../support/jwt.js';
import { runHubbub } from '../support/process.js';
import { connect, connectRefused, type RawClient, UpgradeRefused } from '../support/raw-client.js';
import { says, startAuthorizer } from './authorizer-double.js';
import { PATIENT } from './authorizer-story.js';

/** Accepted as a time of issue, and after every revocation of the next half a minute. */
const later = () => Math.floor(Date.now() / 1000) + 30;
const now = () => Math.floor(Date.now() / 1000);
const sign = (claims: object) =>
  jwt({ alg: 'HS256', key: TEST_JWT_SECRET, claims: { iat: now(), exp: now() + 3600, ...claims } });
const token = (user: string, claims: object = {}) => sign({ sub: user, rooms: ['*'], ...claims });

let cluster: TestCluster;
let api: ApiProcess;
let users = 0;
const newUser = () => `user-${++users}`;

beforeAll(async () => {
  cluster = await startCluster({ edges: 3 });
  api = await startApi(cluster);
});

async function open(edge: number, ofToken: string): Promise<RawClient> {
  const client = await connect(cluster.edge(edge).wsUrl, { token: ofToken });
  await client.nextFrame('welcome');
  return client;
}

const onEachEdge = (ofToken: () => string) => Promise.all([0, 1, 2].map(edge => open(edge, ofToken())));

async function expectRefused(ofToken: string, status: number): Promise<void> {
  for (const edge of [0, 1, 2]) {
    expect(await connectRefused(cluster.edge(edge).wsUrl, { token: ofToken })).toMatchObject({ status });
  }
}

/** Resolves when every edge refuses the token: they learn of a revocation within a second. */
const untilRefused = (ofToken: string) =>
  eventually(async () => {
    for (const edge of [0, 1, 2]) {
      const client = await connect(cluster.edge(edge).wsUrl, { token: ofToken }).catch(() => undefined);
      if (client !== undefined) return await client.terminate().then(() => false);
    }
    return true;
  });

describe('all tokens of a user', () => {
  test('end with 4205 on every edge within a second, and newer ones are admitted', async () => {
    const [user, other] = [newUser(), newUser()];
    const old = token(user);
    const sessions = await onEachEdge(() => old);
    const others = await onEachEdge(() => token(other));
    const newer = await open(1, token(user, { iat: later() }));
    const startedAtMs = performance.now();
    expect(await api.post(`/users/${user}/revoke`)).toMatchObject({ status: 200, body: { user_id: user } });
    const closings = await Promise.all(sessions.map(({ closed }) => closed));
    expect(performance.now() - startedAtMs).toBeLessThan(1000);
    for (const closing of closings) expect(closing).toEqual({ code: 4205, reason: 'the token was revoked' });
    for (const client of [...others, newer]) await client.ping();
    await untilRefused(old);
    await expectRefused(old, 401);
    await open(0, token(user, { iat: later() }));
    await open(2, token(other));
  });

  test.each<[string, object]>([
    ['without iat', { iat: undefined }],
    ['with a time in milliseconds', { iat: Date.now() }],
    ['with text as iat', { iat: 'now' }],
  ])('a token %s counts as issued before', async (_, claims) => {
    const user = newUser();
    const session = await open(0, token(user, claims));
    await api.post(`/users/${user}/revoke`);
    expect(await session.closed).toMatchObject({ code: 4205 });
    await untilRefused(token(user, claims));
  });

  test('a withdrawn revocation admits them again', async () => {
    const user = newUser();
    const old = token(user);
    await api.post(`/users/${user}/revoke`);
    await untilRefused(old);
    const withdrawal = () => api.ask('DELETE', `/users/${user}/revoke`);
    expect((await withdrawal()).body).toEqual({ user_id: user, withdrawn: true });
    expect((await withdrawal()).body).toEqual({ user_id: user, withdrawn: false });
    await eventually(() => open(0, old).catch(() => undefined));
  });
});

test('one token by its jti: other tokens of the user stay', async () => {
  const user = newUser();
  const [first, second, without] = [token(user, { jti: 'a' }), token(user, { jti: 'b' }), token(user)];
  const session = await open(0, first);
  const others = await Promise.all([open(0, second), open(1, without)]);
  const ofOtherUser = await open(1, token(newUser(), { jti: 'a' }));
  await api.post(`/users/${user}/revoke`, { jti: 'a' });
  expect(await session.closed).toMatchObject({ code: 4205 });
  await untilRefused(first);
  for (const client of [...others, ofOtherUser]) await client.ping();
  expect((await api.ask('DELETE', `/users/revoke?user_id=${user}&jti=a`)).body.withdrawn).toBe(true);
  await eventually(() => open(2, first).catch(() => undefined));
});

test('a blocked user has no session until the time, whatever the token', async () => {
  const user = newUser();
  const session = await open(2, token(user, { iat: later() }));
  const until = new Date(Date.now() + 4000).toISOString();
  expect((await api.post(`/users/${user}/block`, { until })).body).toEqual({ user_id: user, until });
  expect(await session.closed).toEqual({ code: 4205, reason: 'the user is blocked' });
  await untilRefused(token(user, { iat: later() }));
  await expectRefused(token(user, { iat: later() }), 403);
  await eventually(() => open(0, token(user)).catch(() => undefined));
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(until));
  await api.post(`/users/${user}/block`, { until: new Date(Date.now() + 60_000).toISOString() });
  await untilRefused(token(user));
  expect((await api.ask('DELETE', `/users/${user}/block`)).body.withdrawn).toBe(true);
  await eventually(() => open(0, token(user)).catch(() => undefined));
});

test('refresh: a revoked token is refused, and the session continues with its own', async () => {
  const user = newUser();
  const session = await open(0, token(user, { iat: later() }));
  const revoked = token(user, { jti: 'old', iat: later() });
  await api.post(`/users/${user}/revoke`, { jti: 'old' });
  await untilRefused(revoked);
  const refresh = (ofToken: string) => session.ask({ type: 'refresh', payload: { token: ofToken } });
  expect(await refresh(revoked)).toMatchObject({ type: 'error', payload: { code: 'UNAUTHORIZED' } });
  await session.ping();
  expect(await refresh(token(user, { jti: 'new', iat: later() }))).toMatchObject({ type: 'ack' });
  await api.post(`/users/${user}/revoke`, { jti: 'new' });
  expect(await session.closed).toMatchObject({ code: 4205 });
});

test('a revoked room token ends the membership, opens no room, and leaves the session', async () => {
  const user = newUser();
  const room = `closed:${user}`;
  const ofRoom = sign({ sub: user, room, jti: 'room' });
  const session = await open(0, sign({ sub: user, rooms: [] }));
  const join = () => session.ask({ type: 'join_room', payload: { room_id: room, token: ofRoom } });
  expect(await join()).toMatchObject({ type: 'ack' });
  await api.post(`/users/${user}/revoke`, { jti: 'room' });
  const reason = 'the room token was revoked';
  expect(await session.nextFrame('room_closed')).toMatchObject({ payload: { room_id: room, removed: true, reason } });
  expect(await join()).toMatchObject({ type: 'error', payload: { code: 'FORBIDDEN' } });
  expect((await connectRefused(cluster.edge(0).roomUrl(room), { token: ofRoom })).status).toBe(401);
});

/** Rounds with different moments of the revocation between the handshakes. */
const ROUNDS = 12;
const CONNECTS = 40;

test('raced against connects on three edges, no session survives and none of another user ends', async () => {
  let raced = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const [user, other] = [newUser(), newUser()];
    const opened: RawClient[] = [];
    const bystanders: RawClient[] = [];
    const attempt = async (index: number, ofToken: string, into: RawClient[]): Promise<void> => {
      try {
        into.push(await connect(cluster.edge(index % 3).wsUrl, { token: ofToken }));
      } catch (error) {
        if (!(error instanceof UpgradeRefused)) throw error;
        expect(error.refusal.status).toBe(401);
      }
    };
    const ofUser = token(user);
    const attempts: Promise<void>[] = [];
    let revoked: Promise<unknown> | undefined;
    for (let index = 0; index < CONNECTS; index++) {
      attempts.push(attempt(index, ofUser, opened), attempt(index, token(other), bystanders));
      if (index === Math.floor((round * CONNECTS) / ROUNDS)) revoked = api.post(`/users/${user}/revoke`);
      if (index % 4 === 0) await new Promise(setImmediate);
    }
    // Connects continue until every edge knows: some handshakes are checked just before, and open just after.
    const stopped = eventually(async () => {
      await Promise.all([0, 1, 2].map(index => attempt(index, ofUser, opened)));
      return opened.every(({ socket }) => socket.readyState >= socket.CLOSING);
    });
    await Promise.all([...attempts, revoked, stopped]);
    raced += opened.length;
    for (const { closed } of opened) expect(await closed).toMatchObject({ code: 4205 });
    expect(bystanders).toHaveLength(CONNECTS);
    await Promise.all(bystanders.map(client => client.ping()));
    await Promise.all(bystanders.map(client => client.terminate()));
    await expectRefused(ofUser, 401);
  }
  expect(raced).toBeGreaterThan(ROUNDS);
}, 120_000);

test('a handshake, a refresh and a join that were checked before the revocation do not survive it', async () => {
  const authorizer = await startAuthorizer();
  const own = await startCluster({
    edges: 1,
    env: {
      ...PATIENT,
      ...withNamespaces({ default: { authorize: ['join'] } }),
      HUBBUB_AUTHORIZER_URL: authorizer.url,
      HUBBUB_AUTHORIZE_CONNECTIONS: 'true',
    },
  });
  const { wsUrl } = own.edge(0);
  const hubbub = connectHubbub({ redisUrl: own.redis.url, redisPrefix: own.redis.prefix });
  cleanup(() => hubbub.close());
  const [user, other] = [newUser(), newUser()];
  const staying = await connect(wsUrl, { token: token(other) });
  await staying.nextFrame('welcome');
  let allowAll = () => {};
  const held = new Promise<void>(resolve => {
    allowAll = resolve;
  });
  authorizer.answer = async (_, response) => {
    await held;
    says(response, { allow: true });
  };
  const old = token(user);
  const connecting = connect(wsUrl, { token: old });
  const refreshing = staying.ask({ type: 'refresh', payload: { token: token(other, { jti: 'stolen' }) } });
  await eventually(() => authorizer.questions.length === 3);
  await hubbub.revokeTokens(user);
  await hubbub.revokeTokens(other, { jti: 'stolen' });
  await eventually(async () => (await metricValue(own.edge(0), 'hubbub_edge_revocations')) === 2);
  allowAll();
  expect(await (await connecting).closed).toEqual({ code: 4205, reason: 'the token was revoked' });
  await eventually(async () => (await metricValue(own.edge(0), 'hubbub_edge_sessions')) === 1, {
    describe: 'the revoked session is gone, and only the one that stays is counted',
  });
  expect(await refreshing).toMatchObject({ type: 'error', payload: { code: 'UNAUTHORIZED' } });

  const room = 'general';
  authorizer.answer = async ({ action }, response) => {
    if (action === 'join') await hubbub.revokeTokens(other, { jti: 'room' });
    if (action === 'join')
      await eventually(async () => (await metricValue(own.edge(0), 'hubbub_edge_revocations')) === 3);
    says(response, { allow: true });
  };
  const narrow = await connect(wsUrl, { token: token(other, { rooms: [] }) });
  const ofRoom = sign({ sub: other, room, jti: 'room' });
  narrow.send({ type: 'join_room', payload: { room_id: room, token: ofRoom } });
  expect(await narrow.nextFrame('room_closed')).toMatchObject({ payload: { reason: 'the room token was revoked' } });
});

test('the server SDK and the command line do the same', async () => {
  const hubbub = connectHubbub({ redisUrl: cluster.redis.url, redisPrefix: cluster.redis.prefix });
  cleanup(() => hubbub.close());
  const env = { HUBBUB_REDIS_URL: cluster.redis.url, HUBBUB_REDIS_PREFIX: cluster.redis.prefix };
  const [bySdk, byCommand] = [newUser(), newUser()];
  const [one, two] = [await open(0, token(bySdk)), await open(1, token(byCommand))];
  await hubbub.revokeTokens(bySdk);
  const command = await runHubbub(['revoke', byCommand], env);
  expect(command).toMatchObject({ code: 0, stdout: expect.stringContaining(`revoked all tokens of ${byCommand}`) });
  for (const { closed } of [one, two]) expect(await closed).toMatchObject({ code: 4205 });
  expect(await hubbub.restoreTokens(byCommand)).toBe(true);
  expect((await runHubbub(['revoke', bySdk, '--undo'], env)).stdout).toContain('withdrew');
  await hubbub.blockUser(bySdk, new Date(Date.now() + 60_000));
  expect((await runHubbub(['block', byCommand, '--for', '1h'], env)).stdout).toContain(`blocked ${byCommand} until`);
  await untilRefused(token(bySdk));
  await untilRefused(token(byCommand));
  expect(await hubbub.unblockUser(byCommand)).toBe(true);
  expect((await runHubbub(['block', bySdk, '--undo'], env)).stdout).toContain('ended');
  await eventually(() => open(0, token(bySdk)).catch(() => undefined));
  expect(await runHubbub(['block', bySdk], env)).toMatchObject({ code: 2 });
});
