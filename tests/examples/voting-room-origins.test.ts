/** The voting room in production: the origin decides who may listen and ask. */
import { expect, test } from 'vitest';
import { connectRefused } from '../support/raw-client.js';
import { EXAMPLE_TIMEOUT_MS, startExample } from './support.js';
import { acquire, from, listen, roomPath, wsPath } from './voting-people.js';

test('in production only origins of the list may listen, and ask', { timeout: EXAMPLE_TIMEOUT_MS }, async () => {
  const listed = 'https://vote.example.org';
  const example = await startExample('voting-room', {
    env: { NODE_ENV: 'production', HUBBUB_ALLOWED_ORIGINS: `${listed},https://*.example.net` },
    serviceEnv: { NODE_ENV: 'production', EXAMPLE_ALLOWED_ORIGINS: listed },
  });
  const room = await acquire(example);
  for (const origin of [listed, 'https://a.example.net']) {
    await listen(example, room, { ...from(origin), edge: 1 });
  }
  for (const origin of ['https://elsewhere.example.org', 'http://vote.example.org', 'https://example.net', 'null']) {
    const refusal = await connectRefused(example.cluster.edge(0).socketUrl(wsPath(room)), from(origin));
    expect(refusal.status, origin).toBe(403);
    expect(JSON.parse(refusal.body)).toMatchObject({ code: 'ORIGIN_NOT_ALLOWED' });
    const answer = await fetch(`${example.url}/api/rooms`, from(origin));
    expect(answer.status, origin).toBe(403);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  }
  const own = await fetch(`${example.url}${roomPath(room, 'start')}`, { method: 'PATCH', ...from(example.url) });
  expect(own.status).toBe(200);
  const answer = await fetch(`${example.url}/api/rooms`, from(listed));
  expect(answer.status).toBe(200);
  expect(answer.headers.get('access-control-allow-origin')).toBe(listed);
});
