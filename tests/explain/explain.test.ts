/** `hubbub explain`: what happened to a user, a session or a room, asked by name of every edge. */
import { connectHubbub, type Explanation, type Hubbub } from '@hubbub/server';
import { countOf } from '@hubbub/tools/kit';
import { beforeAll, expect, test } from 'vitest';
import { type ApiProcess, startApi } from '../api/api-process.js';
import { withNamespaces } from '../presence/config-file.js';
import { cleanup } from '../support/cleanup.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { runHubbub } from '../support/process.js';
import { connect, connectRefused } from '../support/raw-client.js';

let cluster: TestCluster;
let api: ApiProcess;
let hubbub: Hubbub;
beforeAll(async () => {
  cluster = await startCluster({
    edges: 2,
    env: {
      ...withNamespaces({ chat: { public: true, historySize: 10 } }),
      HUBBUB_EXPLAIN_QUESTIONS_PER_SECOND: '1000',
    },
  });
  api = await startApi(cluster);
  hubbub = connectHubbub({ redisUrl: cluster.redis.url, redisPrefix: cluster.redis.prefix });
  cleanup(() => hubbub.close());
});

async function enter(user: string, edge = 0, options: { rooms?: readonly string[]; query?: string } = {}) {
  const { rooms, query = '' } = options;
  const token = cluster.token({ user, ...(rooms !== undefined && { rooms: [...rooms] }) });
  const client = await connect(`${cluster.edge(edge).wsUrl}${query}`, { name: user, token });
  const session = String((await client.nextFrame('welcome')).payload?.session_id);
  return Object.assign(client, { session });
}

const explain = async (path: string): Promise<Explanation> => {
  const { status, body } = await api.get(`/explain/${path}`);
  expect({ path, status }).toEqual({ path, status: 200 });
  return body as unknown as Explanation;
};

const eventsOf = ({ entries }: { entries: Explanation['sessions'][number]['entries'] }) =>
  entries.map(({ event, room, type, code }) => [event, type, room, code].filter(Boolean).join(' '));

test('names the joins, refusals, last frames and waiting bytes of a live session, and no payload', async () => {
  const ada = await enter('ada', 0, { rooms: ['general'] });
  await ada.join('general');
  await ada.ask({ type: 'join_room', payload: { room_id: 'closed:1' } });
  await ada.ask({ type: 'send_message', room: 'general', payload: { content: 'a secret of the test' } });

  const answer = await explain(`sessions/${ada.session}`);
  expect(answer.nodes.map(({ node, state }) => [node, state])).toEqual([
    ['edge-1', 'answered'],
    ['edge-2', 'answered'],
  ]);
  const [session] = answer.sessions;
  expect(session).toMatchObject({
    session_id: ada.session,
    node: 'edge-1',
    user: { id: 'ada' },
    state: 'open',
    rooms: ['general'],
    room_count: 1,
    buffered_bytes: 0,
    waiting_frames: 0,
    last_frames: ['join_room', 'join_room', 'send_message'],
  });
  expect(eventsOf(session ?? { entries: [] })).toEqual(['joined general', 'refused join_room FORBIDDEN']);
  expect(session?.entries[1]?.reason).toContain('closed:1');
  expect(JSON.stringify(answer)).not.toContain('a secret of the test');
});

test('finds the sessions of a user on several edges, after they have ended, with close code and cause', async () => {
  const [one, two] = [await enter('bob', 0), await enter('bob', 1)];
  await one.join('general');
  await hubbub.disconnectUser('bob', 'the account was closed');
  await Promise.all([one.closed, two.closed]);

  const { sessions } = await explain('users/bob');
  expect(new Set(sessions.map(({ node }) => node))).toEqual(new Set(['edge-1', 'edge-2']));
  for (const { state, closed } of sessions) {
    expect(state).toBe('closed');
    expect(closed).toMatchObject({ code: 4200, cause: 'KICKED', reason: 'the account was closed' });
  }
});

test('names the reason of a refused handshake by the user that its token claims, and by the room of its path', async () => {
  const expired = cluster.token({ user: 'cleo', ttlMs: -60_000 });
  await connectRefused(cluster.edge(0).wsUrl, { token: expired });
  await connectRefused(cluster.edge(0).wsUrl, { token: expired });
  const { origin } = new URL(cluster.edge(1).wsUrl);
  const token = cluster.token({ user: 'cleo', rooms: ['general'] });
  await connectRefused(`${origin}/rooms/closed:2/ws`, { token });

  const { refusals, sessions } = await explain('users/cleo');
  expect(sessions).toEqual([]);
  expect(refusals.map(({ node, code, room, count }) => ({ node, code, room, count }))).toEqual([
    { node: 'edge-2', code: 'FORBIDDEN', room: 'closed:2', count: 1 },
    { node: 'edge-1', code: 'UNAUTHORIZED', room: undefined, count: 2 },
  ]);
  expect(refusals[1]?.reason).toMatch(/expired/);
  expect(JSON.stringify(refusals)).not.toContain(token);
  expect((await explain('rooms/closed:2')).refusals).toMatchObject([{ user_id: 'cleo', code: 'FORBIDDEN' }]);
});

test('reports members, position and gaps of a room on each edge', async () => {
  const [dan, eve] = [await enter('dan', 0), await enter('eve', 1)];
  for (const client of [dan, eve]) await client.join('chat:1');
  await hubbub.publishToRoom('chat:1', { type: 'hello' });
  for (const client of [dan, eve]) await client.nextFrame('hello');
  const { rooms } = await explain('rooms/chat:1');
  expect(rooms.map(({ node, session_count, offset, members }) => [node, session_count, offset, members])).toEqual([
    ['edge-1', 1, 1, [{ session_id: dan.session, user_id: 'dan' }]],
    ['edge-2', 1, 1, [{ session_id: eve.session, user_id: 'eve' }]],
  ]);
});

test('reports recoveries, and positions that could not be recovered', async () => {
  const fay = await enter('fay');
  const position = (await fay.ask({ type: 'join_room', payload: { room_id: 'chat:2' } })).payload ?? {};
  const resume = { room_id: 'chat:2', epoch: position.epoch, offset: position.offset };
  await fay.ask({ type: 'resume', payload: { rooms: [resume] } });
  await fay.ask({ type: 'resume', payload: { rooms: [{ ...resume, epoch: 'another' }] } });
  const [session] = (await explain(`sessions/${fay.session}`)).sessions;
  expect(eventsOf(session ?? { entries: [] })).toEqual(['joined chat:2', 'recovered chat:2', 'not_recovered chat:2']);
});

test('names the rooms whose messages may be missing after a break of the subscription', async () => {
  const jo = await enter('jo');
  await jo.join('quiet');
  await cluster.redis.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await jo.nextFrame({ type: 'room_gap', room: 'quiet' });
  await jo.nextFrame('session_gap');
  const [session] = (await explain(`sessions/${jo.session}`)).sessions;
  expect(eventsOf(session ?? { entries: [] }).sort()).toEqual(['gap', 'gap quiet', 'joined quiet']);
  expect((await explain('rooms/quiet')).rooms).toMatchObject([{ node: 'edge-1', entries: [{ event: 'gap' }] }]);
});

test('counts a repeated refusal in one entry', async () => {
  const gil = await enter('gil');
  for (let n = 0; n < 40; n++) await gil.ask({ type: 'send_message', room: 'general', payload: { content: 'hi' } });
  const [session] = (await explain(`sessions/${gil.session}`)).sessions;
  // A gap of the same second counts as one of the session: its start is known to the second.
  const own = session?.entries.filter(({ event }) => event !== 'gap');
  expect(own).toMatchObject([{ event: 'refused', type: 'send_message', code: 'NOT_IN_ROOM', count: 40 }]);
  expect(session?.last_frames).toEqual(Array.from({ length: 8 }, () => 'send_message'));
});

test('a question to a busy edge is answered with busy', async () => {
  const strict = await cluster.addEdge({ env: { HUBBUB_EXPLAIN_QUESTIONS_PER_SECOND: '1' } });
  const answers = await Promise.all(Array.from({ length: 10 }, () => hubbub.explain({ user: 'ida' })));
  const states = answers.map(({ nodes }) => nodes.find(({ node }) => node === strict.nodeId)?.state);
  expect(new Set(states)).toEqual(new Set(['answered', 'busy']));
  expect(await countOf(strict, 'hubbub_edge_account_questions_total{result="busy"}')).toBeGreaterThan(0);
});

test('after kill -9 of an edge, the others answer and the killed one is named', async () => {
  const killed = await cluster.addEdge();
  const index = cluster.edges.indexOf(killed);
  const [here, there] = [await enter('hal', 0), await enter('hal', index)];
  expect((await explain('users/hal')).sessions).toHaveLength(2);
  await killed.process.kill();
  const { nodes, sessions } = await explain('users/hal');
  expect(sessions).toMatchObject([{ session_id: here.session, state: 'open' }]);
  expect(sessions.map(({ session_id }) => session_id)).not.toContain(there.session);
  expect(nodes.find(({ node }) => node === killed.nodeId)).toEqual({ node: killed.nodeId, state: 'no_answer' });
});

test('the command prints the account of whatever has the name', async () => {
  const kim = await enter('kim');
  await kim.join('general');
  const env = { HUBBUB_REDIS_URL: cluster.redis.url, HUBBUB_REDIS_PREFIX: cluster.redis.prefix };
  const { code, stdout, stderr } = await runHubbub(['explain', 'kim'], env);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain(`session ${kim.session} of kim (kim) on edge-1: open`);
  expect(stdout).toContain('joined general');
  expect(stdout).toMatch(/edge edge-2 answered/);
  const { stdout: json } = await runHubbub(['explain', kim.session, '--json'], env);
  expect(JSON.parse(json).sessions).toMatchObject([{ session_id: kim.session }]);
});
