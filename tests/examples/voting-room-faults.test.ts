/** The voting room when its service is killed, and when a participant stops reading. */

import { eventually, metricValue } from '@hubbub/tools/kit';
import { beforeAll, expect, test } from 'vitest';
import { EXAMPLE_TIMEOUT_MS, type RunningExample, startExample } from './support.js';
import { acquire, listen, roomPath, row, sayReady } from './voting-people.js';

/** Far more than the kernel keeps for a connection that is not read. */
const FLOOD_MAX = 2000;
const FLOOD_BYTES = 32_768;

async function slowReaders({ edges }: RunningExample): Promise<number[]> {
  return await Promise.all(edges.map(edge => metricValue(edge, 'hubbub_edge_slow_readers_total')));
}

let example: RunningExample;

beforeAll(async () => {
  example = await startExample('voting-room', { env: { HUBBUB_MAX_BUFFERED_BYTES: '262144' } });
}, EXAMPLE_TIMEOUT_MS);

test('a participant who does not read is cut off, and the others hear everything', async () => {
  const room = await acquire(example);
  const slow = await listen(example, room, { name: 'slow', edge: 0 });
  const beside = await listen(example, room, { name: 'beside', edge: 0 });
  const faraway = await listen(example, room, { name: 'faraway', edge: 1 });
  const before = await slowReaders(example);
  slow.pauseReading();
  const redis = example.redis.connection();
  const filler = 'x'.repeat(FLOOD_BYTES);
  let sent = 0;
  while (sent < FLOOD_MAX && (sent % 50 !== 0 || (await slowReaders(example))[0] === before[0])) {
    const id = `n${++sent}`;
    const frame = { type: 'flood', id, payload: { filler } };
    await redis.publish(`${example.redis.prefix}:room:{${room}}`, JSON.stringify(frame));
    await Promise.all([beside, faraway].map(member => member.nextFrame({ type: 'flood', id })));
  }
  expect(await slowReaders(example)).toEqual([(before[0] ?? 0) + 1, before[1]]);
  slow.resumeReading();
  expect((await slow.closed).code).toBe(1006);
  await example.ask('PATCH', roomPath(room, 'participate'), { text: 'Ada' });
  for (const listener of [beside, faraway]) await listener.nextFrame('participant_ready');
});

test('the service is killed between participate and start: the room is whole, pages follow', async () => {
  const room = await acquire(example);
  const page = await example.openPage(`/?room=${room}`, { edge: 1 });
  await sayReady(page, 'Ada');
  await example.service.kill();
  await example.service.start();
  expect((await example.ask('GET', roomPath(room, 'acquired'))).body).toMatchObject({
    status: 'waiting',
    participants: ['Ada'],
  });
  await example.ask('PATCH', roomPath(room, 'participate'), { text: 'Bob' });
  await row(page, 'Bob').waitFor();
  expect((await example.ask('PATCH', roomPath(room, 'start'))).status).toBe(200);
  await page.getByText('2 voters').waitFor();
});

test('a change that a dead service stored and did not announce is announced by the next one, once', async () => {
  const room = await acquire(example);
  const listener = await listen(example, room);
  await listener.nextFrame('room_status');
  await example.service.kill();
  // As it is between the two steps of `participate`: stored, not announced.
  const redis = example.redis.connection();
  const key = `${example.redis.prefix}-example:voting-room:room:${room}`;
  const kept = JSON.parse((await redis.get(key)) ?? '{}');
  const message = { type: 'participant_ready', payload: { message: 'Ada' } };
  const participants = [{ name: 'Ada', key: 'name:Ada' }];
  const unannounced = { ...kept, version: 2, participants, pending: [{ id: 'change-2', message }] };
  await redis.set(key, JSON.stringify(unannounced), 'KEEPTTL');
  await example.service.start();
  await listener.nextFrame({ type: 'participant_ready', payload: { message: 'Ada' } });
  await listener.nextFrame({ type: 'room_status', payload: { participants: ['Ada'] } });

  // Announced, and died before recording it.
  await eventually(async () => JSON.parse((await redis.get(key)) ?? '{}').pending?.length === 0);
  await example.service.kill();
  await redis.set(key, JSON.stringify(unannounced), 'KEEPTTL');
  await example.service.start();
  await eventually(async () => JSON.parse((await redis.get(key)) ?? '{}').pending?.length === 0);
  await example.ask('PATCH', roomPath(room, 'participate'), { text: 'Bob' });
  await listener.noFrame({ type: 'participant_ready', payload: { message: 'Ada' } }, () =>
    listener.nextFrame({ type: 'participant_ready', payload: { message: 'Bob' } }),
  );
});
