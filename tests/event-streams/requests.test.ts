/** Requests for events: what is refused, with which status, and what counts against which limit. */
import { metricValue, signToken, TEST_JWT_SECRET } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { jwt } from '../support/jwt.js';
import { type Story, startStory } from './story.js';

describe('a request is refused before the stream begins', () => {
  let story: Story;
  beforeAll(async () => {
    story = await startStory({ env: { HUBBUB_ALLOWED_ORIGINS: 'https://app.example' } });
  });
  const codeOf = (text: string): unknown => (JSON.parse(text) as { code: unknown }).code;
  const rooms = (count: number) => Array.from({ length: count }, (_, n) => `room=r${n}`).join('&');

  test.for([
    ['a room that is not a name', '/rooms/a%20b/events', 400, 'INVALID_ROOM'],
    ['a room twice', '/rooms/a/events?room=a', 400, 'INVALID_PAYLOAD'],
    ['more than 20 rooms', `/events?${rooms(21)}`, 400, 'ROOM_LIMIT'],
    ['an id that is not one', '/rooms/a/events?last_event_id=nonsense', 400, 'INVALID_PAYLOAD'],
    ['an id of other rooms', '/rooms/a/events?last_event_id=e:1,e:2', 400, 'INVALID_PAYLOAD'],
    ['a room that needs a room token', '/rooms/locked:a/events', 403, 'FORBIDDEN'],
    ['one such room of several', '/events?room=a&room=locked:a', 403, 'FORBIDDEN'],
  ] as const)('%s', async ([, path, status, code]) => {
    const refused = await story.reader(path);
    expect([refused.status, codeOf(refused.rest)]).toEqual([status, code]);
  });

  test('a refusal names the room that may not be joined', async () => {
    const { rest } = await story.reader('/events?room=a&room=locked:a&room=locked:b');
    expect(JSON.parse(rest)).toMatchObject({ code: 'FORBIDDEN', details: { room: 'locked:a' } });
    const { rest: misplaced } = await story.reader('/events?room=locked:a&room=locked:b&room_token=no.room.token');
    expect(JSON.parse(misplaced)).toMatchObject({ code: 'FORBIDDEN', details: { room: 'locked:a' } });
    const { rest: invalid } = await story.reader('/events?room=a&room=locked:b&room_token=no.room.token');
    expect(JSON.parse(invalid)).toMatchObject({ code: 'FORBIDDEN', details: { room: 'locked:b' } });
  });

  test('without a token, with a wrong one, from a foreign origin, and by another method', async () => {
    const url = `${story.cluster.edge(0).httpUrl}/rooms/a/events`;
    const token = story.cluster.token({ user: 'ada' });
    const answers = await Promise.all([
      fetch(url),
      fetch(`${url}?token=${token}x`),
      fetch(url, { headers: { authorization: `Bearer ${token}`, origin: 'https://evil.example' } }),
      fetch(url, { method: 'POST', body: '{}' }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 403, 405]);
    expect(answers[3]?.headers.get('allow')).toBe('GET, OPTIONS');
    for (const answer of answers) await answer.body?.cancel();
  });

  test('a script of an allowed origin may read it, with the headers that it needs', async () => {
    const url = `${story.cluster.edge(0).httpUrl}/rooms/a/events`;
    const origin = 'https://app.example';
    const preflight = await fetch(url, { method: 'OPTIONS', headers: { origin } });
    expect(preflight.headers.get('access-control-allow-headers')).toContain('Last-Event-ID');
    const events = await story.reader('/rooms/a/events', { headers: { origin } });
    expect(events.headers['access-control-allow-origin']).toBe(origin);
    expect(events.headers['access-control-expose-headers']).toBe('Retry-After');
    await events.nextFrame('room_opened');
  });

  test('a room token opens the room before it in the query', async () => {
    const roomToken = jwt({
      alg: 'HS256',
      key: TEST_JWT_SECRET,
      claims: { sub: 'reader', room: 'locked:a', exp: Math.floor(Date.now() / 1000) + 60 },
    });
    const alone = await story.reader(`/rooms/locked:a/events?room_token=${roomToken}`);
    await alone.nextFrame({ type: 'room_opened', room: 'locked:a' });
    const beside = await story.reader(`/events?room=b&room=locked:a&room_token=${roomToken}&room=c`);
    for (const room of ['b', 'locked:a', 'c']) await beside.nextFrame({ type: 'room_opened', room });
    const misplaced = await story.reader(`/events?room=b&room_token=${roomToken}&room=locked:a`);
    expect([misplaced.status, codeOf(misplaced.rest)]).toEqual([403, 'FORBIDDEN']);
  });
});

test('connections of an address are limited, and a stream that ended counts no more', async () => {
  const { cluster, reader } = await startStory({ env: { HUBBUB_MAX_CONNECTIONS_PER_ADDRESS: '2' } });
  const first = await reader('/rooms/a/events');
  const second = await reader('/rooms/a/events');
  for (const reading of [first, second]) await reading.nextFrame('room_opened');
  const third = await reader('/rooms/a/events');
  expect(third.status).toBe(429);
  expect(Number(third.headers['retry-after'])).toBeGreaterThan(0);
  await first.close();
  await expect.poll(async () => (await reader('/rooms/a/events')).status, { timeout: 10_000 }).toBe(200);
  expect(await metricValue(cluster.edge(0), 'hubbub_edge_limits_total{limit="address_connections"}')).toBeGreaterThan(
    0,
  );
});

test('a user whose calls are used up gets close with 4002 as the only event', async () => {
  const { cluster, reader } = await startStory({
    env: { HUBBUB_MAX_CALLS_PER_SECOND: '1', HUBBUB_MAX_USER_CALLS_PER_SECOND: '1', HUBBUB_MAX_ROOMS: '2' },
  });
  const path = '/events?room=a&room=b';
  const token = signToken({ user: 'greedy' });
  const first = await reader(path, { token });
  for (const room of ['a', 'b']) await first.nextFrame({ type: 'room_opened', room });
  const second = await reader(path, { token });
  expect(await second.nextFrame('close')).toMatchObject({ code: 4002 });
  await second.ended;
  expect(second.events).toHaveLength(1);
  expect(await metricValue(cluster.edge(0), 'hubbub_edge_limits_total{limit="user_calls"}')).toBe(1);
});
