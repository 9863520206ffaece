/** Empty voting rooms are forgotten in time, also by a service that was dead meanwhile. */

import { eventually } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { EXAMPLE_TIMEOUT_MS, type RunningExample, startExample } from './support.js';
import { acquire, listen, roomPath } from './voting-people.js';

describe('empty rooms', () => {
  const emptyMs = 1000;
  let example: RunningExample;

  beforeAll(async () => {
    example = await startExample('voting-room', { times: { EXAMPLE_EMPTY_ROOM_MS: emptyMs, EXAMPLE_ROUND_MS: 100 } });
  }, EXAMPLE_TIMEOUT_MS);

  const untilForgotten = (room: string) =>
    eventually(async () => (await example.ask('GET', roomPath(room, 'acquired'))).status === 404, {
      describe: 'the room is forgotten',
    });
  const stillThere = async (room: string) => {
    expect((await example.ask('GET', roomPath(room, 'acquired'))).status).toBe(200);
  };
  const keysOfTheService = () => example.redis.cli('--scan', '--pattern', `${example.redis.prefix}-example:*`);

  test('an empty room is forgotten, and one with a participant when the last one has left', async () => {
    const occupied = await acquire(example);
    const member = await listen(example, occupied);
    await member.nextFrame('participant_joined');
    const abandoned = await acquire(example);
    await untilForgotten(abandoned);
    await stillThere(occupied);
    // A second one that was abandoned after it: by then the occupied one had its time twice.
    await untilForgotten(await acquire(example));
    await stillThere(occupied);
    await member.close();
    await untilForgotten(occupied);
    await eventually(async () => (await keysOfTheService()) === '', { describe: 'the service keeps nothing' });
  });

  test.for([
    ['is back', false],
    ['is back too late to read of it', true],
  ] as const)('a room that was left while the service was dead is forgotten when it %s', async ([, isTooLate]) => {
    const room = await acquire(example);
    const member = await listen(example, room);
    await member.nextFrame('participant_joined');
    await untilForgotten(await acquire(example)); // So that the service has noted that somebody is there.
    await example.service.kill();
    await member.close();
    if (isTooLate) {
      const redis = example.redis.connection();
      const streams = await eventually(async () => {
        const keys = await redis.keys(`${example.redis.prefix}:presence:*:lifecycle`);
        const entries = await Promise.all(keys.map(key => redis.xrevrange(key, '+', '-', 'COUNT', 1)));
        return entries.flat(3).includes('room_vacated') && keys;
      });
      await redis.del(...streams);
    }
    await example.service.start();
    await untilForgotten(room);
  });

  test('a room that was never visited is forgotten by a service that did not make it', async () => {
    const room = await acquire(example);
    await example.service.kill();
    await example.service.start();
    await untilForgotten(room);
    await eventually(async () => (await keysOfTheService()) === '', { describe: 'the service keeps nothing' });
  });
});
