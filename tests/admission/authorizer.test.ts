/** The authorizer: what it is asked, what its answers mean, and what it costs when it fails (PROTOCOL.md section 1.1). */
import { beforeEach, describe, expect, test } from 'vitest';
import { withNamespaces } from '../presence/config-file.js';
import { type Environment, startEmbedded, type TestCluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { connect, connectRefused, type RawClient } from '../support/raw-client.js';
import { type AuthorizerDouble, says, startAuthorizer } from './authorizer-double.js';

const NAMESPACES = {
  default: {},
  club: { public: true, authorize: ['join'] },
  wall: { public: true, authorize: ['publish'] },
  guests: { anonymousRights: ['join'], authorize: ['join'] },
};
const KEY = 'the-key-of-the-authorizer';

let authorizer: AuthorizerDouble;
let cluster: TestCluster;

beforeEach(async () => {
  authorizer = await startAuthorizer();
});

async function start(env: Environment = {}): Promise<void> {
  cluster = await startEmbedded({
    env: { ...withNamespaces(NAMESPACES), HUBBUB_AUTHORIZER_URL: authorizer.url, HUBBUB_AUTHORIZER_KEY: KEY, ...env },
  });
}

const enter = (user: string, encoding: 'json' | 'msgpack' = 'json') =>
  connect(cluster.edge(0).wsUrl, { name: user, token: cluster.token({ user, name: user.toUpperCase() }), encoding });
const join = (client: RawClient, room: string) => client.ask({ type: 'join_room', payload: { room_id: room } });
const send = (client: RawClient, room: string, payload: object = {}) =>
  client.ask({ type: 'send_message', room, payload });
const code = (frame: { type: string; payload?: Record<string, unknown> }) =>
  frame.type === 'error' ? frame.payload?.code : 'ok';

/** Value of one line of the metrics page; 0 where there is none. */
async function metric(line: string): Promise<number> {
  const page = await (await fetch(`${cluster.edge(0).adminUrl}/metrics`)).text();
  return Number(
    page
      .split('\n')
      .find(candidate => candidate.startsWith(`${line} `))
      ?.split(' ')
      .at(-1) ?? 0,
  );
}
const questions = (action: string, result: string) =>
  metric(`hubbub_edge_authorizer_questions_total{action="${action}",result="${result}"}`);

describe('what is asked', () => {
  test('a connect, with path, room and address; then the join of the room in the path; both before the upgrade', async () => {
    await start({ HUBBUB_AUTHORIZE_CONNECTIONS: 'true' });
    const token = cluster.token({ user: 'ada', name: 'Ada' });
    await connect(`${cluster.edge(0).wsUrl}?token=${token}`);
    await connect(cluster.edge(0).roomUrl('club:1'), { token });
    const user = { id: 'ada', name: 'Ada' };
    expect(authorizer.questions).toMatchObject([
      { action: 'connect', user, address: '127.0.0.1', path: '/ws' },
      { action: 'connect', user, path: '/rooms/club%3A1/ws', room: 'club:1' },
      { action: 'join', user, address: '127.0.0.1', room: 'club:1' },
    ]);
    expect(authorizer.questions[0]).not.toHaveProperty('room');
    expect(authorizer.questions[0]).not.toHaveProperty('anonymous');
    expect(authorizer.headers[0]).toMatchObject({
      authorization: `Bearer ${KEY}`,
      'content-type': 'application/json',
    });
    expect(JSON.stringify(authorizer.questions)).not.toContain(token);
  });

  test('a refresh: who may not connect any more does not stay by renewing', async () => {
    await start({ HUBBUB_AUTHORIZE_CONNECTIONS: 'true' });
    const token = cluster.token({ user: 'ada' });
    const client = await connect(`${cluster.edge(0).wsUrl}?token=${token}`);
    authorizer.answer = (_, response) => says(response, { allow: false, reason: 'the account was closed' });
    const answer = await client.ask({ type: 'refresh', payload: { token: cluster.token({ user: 'ada' }) } });
    expect(answer).toMatchObject({ type: 'error', payload: { code: 'FORBIDDEN', message: 'the account was closed' } });
    expect(authorizer.questions.at(-1)).toMatchObject({ action: 'refresh', user: { id: 'ada' }, address: '127.0.0.1' });
  });

  test('joins and messages only of the namespaces that say so, after the token said yes; not typing', async () => {
    await start();
    const client = await enter('ada');
    await client.join('general');
    await send(client, 'general', { n: 0 });
    await client.join('wall:1');
    await client.ask({ type: 'typing', room: 'wall:1' });
    expect(authorizer.questions).toEqual([]);
    expect(code(await join(client, 'secret:1'))).toBe('FORBIDDEN');
    expect(code(await send(client, 'wall:2'))).toBe('NOT_IN_ROOM');
    expect(authorizer.questions).toEqual([]);
    await client.join('club:1');
    await client.join('club:1');
    await client.ask({ type: 'resume', payload: { rooms: [{ room_id: 'club:1' }, { room_id: 'club:2' }] } });
    await send(client, 'wall:1', { n: 1 });
    expect(authorizer.questions.map(({ action, room, payload }) => ({ action, room, payload }))).toEqual([
      { action: 'join', room: 'club:1' },
      { action: 'join', room: 'club:2' },
      { action: 'publish', room: 'wall:1', payload: { n: 1 } },
    ]);
  });

  test('what a MessagePack session sends, as JSON sessions would get it', async () => {
    await start();
    const client = await enter('ada', 'msgpack');
    await client.join('wall:1');
    await send(client, 'wall:1', { bytes: Uint8Array.of(0, 1, 255) });
    expect(authorizer.questions[0]?.payload).toEqual({ bytes: { $base64: 'AAH/' } });
  });

  test('sessions without a token, as such', async () => {
    await start({ HUBBUB_AUTHORIZE_CONNECTIONS: 'true' });
    const client = await connect(cluster.edge(0).wsUrl);
    await client.join('guests:1');
    expect(authorizer.questions).toMatchObject([
      { action: 'connect', anonymous: true, user: { name: 'Anonymous' } },
      { action: 'join', anonymous: true, room: 'guests:1' },
    ]);
  });
});

describe('what an answer means', () => {
  test('no is FORBIDDEN with its reason, of which at most 200 characters are shown', async () => {
    await start({ HUBBUB_AUTHORIZE_CONNECTIONS: 'true' });
    authorizer.answer = ({ user, action }, response) =>
      says(
        response,
        action === 'connect' && user.id !== 'eve' ? { allow: true } : { allow: false, reason: 'no '.repeat(100) },
      );
    const shown = 'no '.repeat(100).slice(0, 200);
    const client = await enter('ada');
    expect((await join(client, 'club:1')).payload).toEqual({ code: 'FORBIDDEN', message: shown });
    const answer = await client.ask({ type: 'resume', payload: { rooms: [{ room_id: 'club:2' }] } });
    expect(answer.payload?.rooms).toEqual([{ room_id: 'club:2', error: { code: 'FORBIDDEN', message: shown } }]);
    expect(code(await send(client, 'club:1'))).toBe('NOT_IN_ROOM');
    await client.join('wall:1');
    expect((await send(client, 'wall:1')).payload).toEqual({ code: 'FORBIDDEN', message: shown });
    const { roomUrl, wsUrl } = cluster.edge(0);
    expect(await connectRefused(roomUrl('club:1'), { token: cluster.token({ user: 'ada' }) })).toMatchObject({
      status: 403,
    });
    const refused = await connectRefused(wsUrl, { token: cluster.token({ user: 'eve' }) });
    expect(refused.status).toBe(403);
    expect(JSON.parse(refused.body)).toEqual({ code: 'FORBIDDEN', message: shown });
  });

  test('unauthorized is 401 at a connect, and FORBIDDEN at a join', async () => {
    await start({ HUBBUB_AUTHORIZE_CONNECTIONS: 'true' });
    authorizer.answer = ({ user, action }, response) =>
      says(
        response,
        user.id === 'ada' && action === 'connect' ? { allow: true } : { allow: false, unauthorized: true },
      );
    const refused = await connectRefused(cluster.edge(0).wsUrl, { token: cluster.token({ user: 'eve' }) });
    expect(refused.status).toBe(401);
    expect(refused.headers['www-authenticate']).toBe('Bearer');
    expect(code(await join(await enter('ada'), 'club:1'))).toBe('FORBIDDEN');
  });

  test('a message that is refused reaches nobody; the order of those that are allowed stays, whatever the answers take', async () => {
    await start();
    const waiting: (() => void)[] = [];
    authorizer.answer = ({ payload }, response) => {
      const answer = () => says(response, { allow: payload?.bad !== true });
      if (payload?.n === 0) waiting.push(answer);
      else answer();
    };
    const [ada, bob] = [await enter('ada'), await enter('bob')];
    for (const client of [ada, bob]) await client.join('wall:1');
    for (let n = 0; n < 5; n++)
      ada.send({ type: 'send_message', room: 'wall:1', id: `m${n}`, payload: { n, bad: n === 2 } });
    await eventually(() => waiting.length === 1, { describe: 'the first question came' });
    expect(authorizer.questions).toHaveLength(1);
    for (const answer of waiting) answer();
    for (const n of [0, 1, 3, 4]) await bob.nextFrame({ type: 'new_message', payload: { n } });
    expect(bob.frames.filter(({ type }) => type === 'new_message').map(({ payload }) => payload?.n)).toEqual([
      0, 1, 3, 4,
    ]);
    expect(await ada.nextFrame({ id: 'm2' })).toMatchObject({ type: 'error', payload: { code: 'FORBIDDEN' } });
  });

  test('who leaves the edge while it is asked about enters nothing', async () => {
    await start();
    const waiting: (() => void)[] = [];
    authorizer.answer = ({ user }, response) => {
      if (user.id === 'ada') waiting.push(() => says(response, { allow: true }));
      else says(response, { allow: true });
    };
    const bob = await enter('bob');
    await bob.join('club:1');
    const ada = await enter('ada');
    ada.send({ type: 'join_room', payload: { room_id: 'club:1' } });
    await eventually(() => waiting.length === 1);
    await ada.terminate();
    await eventually(async () => (await metric('hubbub_edge_sessions')) === 1, { describe: 'the session is gone' });
    for (const answer of waiting) answer();
    await eventually(async () => (await questions('join', 'allowed')) === 2);
    expect((await bob.ask({ type: 'online_users', room: 'club:1' })).payload).toMatchObject({ count: 1 });
  });
});

describe('answers are remembered', () => {
  test('those about connects and joins, per question; those about messages only where they say so', async () => {
    await start({ HUBBUB_AUTHORIZE_CONNECTIONS: 'true' });
    authorizer.answer = ({ payload }, response) =>
      says(response, { allow: true, ...(payload?.once === true && { ttl_ms: 60_000 }) });
    const [one, two] = [await enter('ada'), await enter('ada')];
    for (const client of [one, two])
      for (const room of ['club:1', 'club:2', 'wall:1', 'wall:2']) await client.join(room);
    const asked = (action: string) => authorizer.questions.filter(question => question.action === action);
    expect(asked('connect')).toHaveLength(1);
    expect(asked('join').map(({ room }) => room)).toEqual(['club:1', 'club:2']);
    expect(await questions('join', 'cached')).toBe(2);
    await join(await enter('bob'), 'club:1');
    expect(authorizer.askedOf('bob')).toHaveLength(2);

    for (const n of [1, 2]) await send(one, 'wall:1', { n });
    expect(asked('publish')).toHaveLength(2);
    await send(one, 'wall:2', { once: true });
    for (const client of [one, two]) await send(client, 'wall:2', { other: 'payload' });
    expect(asked('publish').map(({ room }) => room)).toEqual(['wall:1', 'wall:1', 'wall:2']);
    await send(one, 'wall:1', { n: 3 });
    expect(asked('publish')).toHaveLength(4);
  });

  test('as long as the answer says, a refusal too; 0 means not at all', async () => {
    await start();
    let allow = false;
    const ttls: Record<string, number> = { 'club:short': 300, 'club:never': 0, 'club:long': 60_000 };
    authorizer.answer = ({ room = '' }, response) => says(response, { allow, ttl_ms: ttls[room] });
    const client = await enter('ada');
    for (const room of Object.keys(ttls)) expect(code(await join(client, room))).toBe('FORBIDDEN');
    allow = true;
    expect(code(await join(client, 'club:never'))).toBe('ok');
    expect(code(await join(client, 'club:long'))).toBe('FORBIDDEN');
    await eventually(async () => code(await join(client, 'club:short')) === 'ok');
    expect(authorizer.questions.filter(({ room }) => room === 'club:short')).toHaveLength(2);
  });

  test('HUBBUB_AUTHORIZER_CACHE_MS=0 has each asked; the cache is bounded', async () => {
    await start({ HUBBUB_AUTHORIZER_CACHE_MS: '0' });
    const [one, two] = [await enter('ada'), await enter('ada')];
    for (const client of [one, two]) await client.join('club:1');
    expect(authorizer.questions).toHaveLength(2);

    await start({ HUBBUB_AUTHORIZER_CACHE_SIZE: '1' });
    const [three, four] = [await enter('eve'), await enter('eve')];
    await three.join('club:1');
    await three.join('club:2');
    await four.join('club:2');
    expect(authorizer.askedOf('eve')).toHaveLength(2);
    await four.join('club:1');
    expect(authorizer.askedOf('eve')).toHaveLength(3);
  });

  test('questions alike under way are one', async () => {
    await start({ HUBBUB_AUTHORIZER_CACHE_MS: '0' });
    const waiting: (() => void)[] = [];
    authorizer.answer = (_, response) => waiting.push(() => says(response, { allow: true }));
    const clients = await Promise.all(Array.from({ length: 20 }, () => enter('ada')));
    const joins = clients.map(client => join(client, 'club:1'));
    await eventually(async () => waiting.length === 1 && (await questions('join', 'shared')) === 19);
    for (const answer of waiting) answer();
    expect((await Promise.all(joins)).map(code)).toEqual(Array.from({ length: 20 }, () => 'ok'));
    expect(authorizer.questions).toHaveLength(1);
  });
});

describe('an authorizer that fails', () => {
  const BROKEN: Readonly<Record<string, AuthorizerDouble['answer']>> = {
    'does not answer in time': () => {},
    'stops in the middle': (_, response) => response.writeHead(200).write('{"allow":'),
    'cuts the connection': (_, response) => response.socket?.destroy(),
    'says 500': (_, response) => response.writeHead(500).end(JSON.stringify({ allow: true })),
    'says 204': (_, response) => response.writeHead(204).end(),
    'sends elsewhere': (_, response) =>
      response.req.url === '/yes'
        ? says(response, { allow: true })
        : response.writeHead(307, { location: '/yes' }).end(),
    'speaks no JSON': (_, response) => response.end('yes'),
    'says nothing': (_, response) => response.end(),
    'says something else': (_, response) => says(response, { allow: 'yes' }),
    'names a wrong time': (_, response) => says(response, { allow: true, ttl_ms: '5 minutes' }),
    'says too much': (_, response) => says(response, { allow: true, reason: 'x'.repeat(70_000) }),
  };

  test.each(['refuse', 'allow'])('in whichever way: HUBBUB_AUTHORIZER_ON_FAILURE=%s', async onFailure => {
    await start({
      HUBBUB_AUTHORIZE_CONNECTIONS: 'true',
      HUBBUB_AUTHORIZER_ON_FAILURE: onFailure,
      HUBBUB_AUTHORIZER_TIMEOUT_MS: '1000',
      HUBBUB_AUTHORIZER_BREAKER_FAILURES: '1000',
    });
    const ada = await enter('ada');
    await ada.join('wall:1');
    const { wsUrl, roomUrl, process } = cluster.edge(0);
    const token = cluster.token({ user: 'bob' });
    let n = 0;
    for (const [how, answer] of Object.entries(BROKEN)) {
      authorizer.answer = answer;
      const results = [
        code(await join(ada, `club:${++n}`)),
        code(await send(ada, 'wall:1', { n })),
        await connect(wsUrl, { token }).then(
          () => 'ok',
          refused => refused.refusal.status,
        ),
      ];
      expect(results, how).toEqual(onFailure === 'allow' ? ['ok', 'ok', 'ok'] : ['UNAVAILABLE', 'UNAVAILABLE', 503]);
    }
    if (onFailure === 'refuse') {
      const refused = await connectRefused(roomUrl('club:1'), { token });
      expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': expect.any(String) } });
    } else {
      expect(code(await join(ada, 'secret:1'))).toBe('FORBIDDEN');
    }
    expect(await questions('publish', 'failed')).toBe(n);
    const log = process.output.lines.join('\n');
    expect(log).toContain('authorizer_failed');
    for (const secret of [KEY, token]) expect(log).not.toContain(secret);
  });

  test('and is down is left alone after some failures, tried again by one question, and back when that is answered', async () => {
    await start({ HUBBUB_AUTHORIZER_BREAKER_FAILURES: '3', HUBBUB_AUTHORIZER_BREAKER_OPEN_MS: '700' });
    const breaker = (state: string) => metric(`hubbub_edge_authorizer_breaker{state="${state}"}`);
    const client = await enter('ada');
    let n = 0;
    const ask = async () => code(await join(client, `club:${++n}`));
    expect(await ask()).toBe('ok');
    authorizer.answer = (_, response) => response.writeHead(503).end();
    for (let failure = 0; failure < 3; failure++) expect(await ask()).toBe('UNAVAILABLE');
    expect(authorizer.questions).toHaveLength(4);
    expect(await breaker('open')).toBe(1);
    for (let skipped = 0; skipped < 10; skipped++) expect(await ask()).toBe('UNAVAILABLE');
    expect(authorizer.questions).toHaveLength(4);
    expect(await questions('join', 'breaker_open')).toBe(10);

    // One question tries, and fails: the breaker stays open, and the next ones are not asked.
    await eventually(async () => (await ask()) === 'UNAVAILABLE' && authorizer.questions.length === 5);
    for (let skipped = 0; skipped < 5; skipped++) expect(await ask()).toBe('UNAVAILABLE');
    expect(authorizer.questions).toHaveLength(5);

    // While one question tries, the others are answered at once.
    const waiting: (() => void)[] = [];
    authorizer.answer = (_, response) => waiting.push(() => says(response, { allow: true }));
    const other = await enter('bob');
    let tried: Promise<unknown> = Promise.resolve();
    await eventually(async () => {
      const trial = ask();
      tried = trial;
      await Promise.race([trial, eventually(() => waiting.length === 1)]);
      return waiting.length === 1;
    });
    expect(code(await join(other, 'club:1'))).toBe('UNAVAILABLE');
    for (const answer of waiting) answer();
    expect(await tried).toBe('ok');
    expect(await breaker('closed')).toBe(1);
    authorizer.answer = (_, response) => says(response, { allow: true });
    expect(code(await join(other, 'club:1'))).toBe('ok');
    const log = cluster.edge(0).process.output.lines.join('\n');
    for (const event of ['authorizer_given_up', 'authorizer_back']) expect(log).toContain(event);
  });

  test('and cannot be reached is the same, and its return is noticed', async () => {
    await start({ HUBBUB_AUTHORIZER_BREAKER_FAILURES: '2', HUBBUB_AUTHORIZER_BREAKER_OPEN_MS: '200' });
    const client = await enter('ada');
    await authorizer.halt();
    for (let n = 0; n < 4; n++) expect(code(await join(client, 'club:1'))).toBe('UNAVAILABLE');
    await authorizer.restart();
    await eventually(async () => code(await join(client, 'club:1')) === 'ok');
  });

  test('or has too many questions under way: one more is a failure, and no reason to leave it alone', async () => {
    await start({ HUBBUB_AUTHORIZER_MAX_PENDING: '2', HUBBUB_AUTHORIZER_BREAKER_FAILURES: '1' });
    const waiting: (() => void)[] = [];
    authorizer.answer = (_, response) => waiting.push(() => says(response, { allow: true }));
    const clients = await Promise.all(['ada', 'bob'].map(user => enter(user)));
    const late = await enter('eve');
    const joins = clients.map(client => join(client, 'club:1'));
    await eventually(() => waiting.length === 2);
    expect(await metric('hubbub_edge_authorizer_pending')).toBe(2);
    expect(code(await join(late, 'club:1'))).toBe('UNAVAILABLE');
    for (const answer of waiting) answer();
    expect((await Promise.all(joins)).map(code)).toEqual(['ok', 'ok']);
    authorizer.answer = (_, response) => says(response, { allow: true });
    expect(code(await join(late, 'club:1'))).toBe('ok');
    expect(await questions('join', 'too_many')).toBe(1);
  });
});
