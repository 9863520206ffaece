/** POST /rooms/{room_id}/messages: a message over plain HTTP, with the checks and limits of send_message. */
import { request } from 'node:http';
import { connectHubbub } from '@hubbub/server';
import { eventually, metricValue } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { type Story, startStory } from './story.js';

let story: Story;
beforeAll(async () => {
  story = await startStory({
    env: { HUBBUB_ALLOWED_ORIGINS: 'https://app.example', HUBBUB_MAX_USER_FRAMES_PER_SECOND: '5' },
  });
});

async function post(
  room: string,
  body: object | string,
  { user = 'poster', token = story.cluster.token({ user }), headers = {} as Record<string, string> } = {},
) {
  const answer = await fetch(`${story.cluster.edge(0).httpUrl}/rooms/${room}/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const fields = (await answer.json()) as { readonly epoch?: string };
  return { status: answer.status, headers: answer.headers, ...fields };
}

test('publishes to members and readers, and answers with the position', async () => {
  const ada = await story.speaker('ada');
  await ada.join('kept:a');
  const events = await story.reader('/rooms/kept:a/events', { user: 'poster' });
  await events.nextFrame('room_opened');
  const answer = await post('kept:a', { payload: { content: 'hi' }, message_id: 'm1' });
  expect(answer).toMatchObject({ status: 200, message_id: 'm1', offset: 1 });
  const message = { type: 'new_message', id: 'm1', sender: { id: 'poster' }, offset: 1, payload: { content: 'hi' } };
  await ada.nextFrame(message);
  await events.nextFrame(message);

  const again = await post('kept:a', { payload: { content: 'hi' }, message_id: 'm1' });
  expect(again).toMatchObject({ status: 200, message_id: 'm1', duplicate: true, offset: 1, epoch: answer.epoch });
  await post('kept:a', { payload: { content: 'next' } });
  await ada.noFrame({ type: 'new_message', id: 'm1' }, () => ada.nextFrame({ payload: { content: 'next' } }));
  await ada.noFrame({ type: 'user_joined', sender: { id: 'elsewhere' } });
});

describe('refuses', () => {
  test.for([
    ['a body that is not JSON', 'general', '{', 400, 'INVALID_FORMAT'],
    ['no payload', 'general', {}, 400, 'INVALID_PAYLOAD'],
    ['an unknown field', 'general', { payload: {}, type: 'welcome' }, 400, 'INVALID_FORMAT'],
    [
      'too many levels',
      'general',
      { payload: JSON.parse(`${'{"a":'.repeat(30)}1${'}'.repeat(30)}`) },
      400,
      'INVALID_PAYLOAD',
    ],
    ['a body above max_frame_bytes', 'general', { payload: { a: 'x'.repeat(5000) } }, 413, 'TOO_LARGE'],
    ['a room that is not a name', 'a%20b', { payload: {} }, 400, 'INVALID_ROOM'],
    ['a room without the right', 'locked:a', { payload: {} }, 403, 'FORBIDDEN'],
  ] as const)('%s', async ([name, room, body, status, code]) => {
    expect(await post(room, body, { user: name })).toMatchObject({ status, code });
  });

  test('a user without the right publish, a foreign origin, and a wrong token', async () => {
    const { cluster } = story;
    const token = cluster.token({ user: 'reader', rooms: { general: ['join'] } });
    expect(await post('general', { payload: {} }, { token })).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    const headers = { origin: 'https://evil.example' };
    expect(await post('general', { payload: {} }, { headers })).toMatchObject({
      status: 403,
      code: 'ORIGIN_NOT_ALLOWED',
    });
    expect(await post('general', { payload: {} }, { token: `${token}x` })).toMatchObject({ status: 401 });
    const allowed = await post('general', { payload: {} }, { headers: { origin: 'https://app.example' } });
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example');
  });

  test('more frames than a user may send, with 429, whatever the connection', async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) => post('general', { payload: { n } }, { user: 'greedy' })),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses).toContain(429);
    expect(answers.find(({ status }) => status === 429)).toMatchObject({ code: 'RATE_LIMITED' });
    expect(await metricValue(story.cluster.edge(0), 'hubbub_edge_limits_total{limit="user_frames"}')).toBeGreaterThan(
      0,
    );
  });
});

test('a token that is revoked while the body comes publishes nothing', async () => {
  const { cluster } = story;
  const ada = await story.speaker('ada');
  await ada.join('general');
  const hubbub = connectHubbub({ redisUrl: cluster.redis.url, redisPrefix: cluster.redis.prefix });
  cleanup(() => hubbub.close());
  const body = JSON.stringify({ payload: { content: 'too late' } });
  const headers = {
    authorization: `Bearer ${cluster.token({ user: 'thief' })}`,
    'content-length': String(body.length),
  };
  const url = `${cluster.edge(0).httpUrl}/rooms/general/messages`;
  const asked = request(url, { method: 'POST', headers, agent: false });
  const answer = new Promise<number | undefined>((resolve, reject) => {
    asked.once('response', response => resolve(response.resume().statusCode));
    asked.once('error', reject);
  });
  await new Promise(resolve => asked.write(body.slice(0, 5), resolve));
  await hubbub.revokeTokens('thief');
  await eventually(async () => (await metricValue(cluster.edge(0), 'hubbub_edge_revocations')) === 1);
  asked.end(body.slice(5));
  expect(await answer).toBe(401);
  await post('general', { payload: { content: 'next' } }, { user: 'honest' });
  await ada.noFrame({ payload: { content: 'too late' } }, () => ada.nextFrame({ payload: { content: 'next' } }));
});

test('a body that does not end is given up, and holds no place of its address', async () => {
  const slow = await startStory({
    env: { HUBBUB_HANDSHAKE_TIMEOUT_MS: '1000', HUBBUB_MAX_CONNECTIONS_PER_ADDRESS: '1' },
  });
  const url = `${slow.cluster.edge(0).httpUrl}/rooms/general/messages`;
  const headers = { authorization: `Bearer ${slow.cluster.token({ user: 'slow' })}`, 'content-length': '100' };
  const asked = request(url, { method: 'POST', headers, agent: false });
  asked.on('error', () => {});
  asked.write('{"payload"');
  const status = await new Promise(resolve => {
    asked.once('response', response => resolve(response.statusCode));
  });
  expect(status).toBe(503);
  await eventually(async () => (await slow.reader('/rooms/general/events')).status === 200);
});
