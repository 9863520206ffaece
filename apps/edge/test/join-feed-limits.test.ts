/** Sessions that join a room's feed: the bounds of a replay, the patience with a slow reader, and the counters. */

import { eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { startFedRoom } from './fed-room.js';

const offsets = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, at) => from + at);

describe('the first session of a room', () => {
  test('reads the position of the room, and joins there', async () => {
    const { publishMany, members, visit } = await startFedRoom();
    const position = await publishMany(3);
    const { answer, heard } = visit(undefined);
    expect(await answer).toEqual(position);
    expect([heard, members.length]).toEqual([[], 1]);
  });

  test('is refused with UNAVAILABLE while the history cannot be read', async () => {
    const { history, members, publish, visit } = await startFedRoom();
    const read = history.read.bind(history);
    history.read = () => Promise.reject(new Error('Redis is down'));
    const position = await publish();
    await expect(visit(position).answer).rejects.toThrow('Redis is down');
    expect(members).toEqual([]);
    history.read = read;
    expect(await visit(position).answer).toMatchObject({ recovered: true });
  });
});

describe('a slow reader', () => {
  async function slow(bufferedBytes: () => number, isStillValid?: () => boolean) {
    const room = await startFedRoom({ maxBufferedBytes: 20_000 });
    await room.feed.refresh();
    const { epoch } = await room.publishMany(10, 1000);
    return room.visit({ epoch, offset: 0 }, { bufferedBytes, ...(isStillValid && { isStillValid }) });
  }

  test('is refused after 5 s', async () => {
    let polls = 0;
    const { answer, heard } = await slow(() => {
      polls++;
      return 19_000;
    });
    expect(await answer).toMatchObject({ recovered: false, reason: 'too_many' });
    expect(heard).toEqual([]);
    expect(polls, 'every 10 ms').toBeGreaterThan(450);
    expect(polls, 'every 10 ms').toBeLessThan(550);
  });

  test('that closes meanwhile does not join', async () => {
    let polls = 0;
    const { answer, heard } = await slow(
      () => (++polls < 3 ? 19_000 : 0),
      () => polls < 2,
    );
    expect(await answer).toBeUndefined();
    expect(heard).toEqual([]);
  });
});

describe('the budget of bytes', () => {
  const budget = (refusal: unknown) => {
    const charged: number[] = [];
    return { charged, bytesOut: { refusal: () => refusal, charge: (bytes: number) => void charged.push(bytes) } };
  };

  test('refuses a replay when it is used up, but not a session that missed nothing', async () => {
    const { feed, publishMany, visit } = await startFedRoom();
    await feed.refresh();
    const { epoch } = await publishMany(3);
    const { charged, bytesOut } = budget('used up');
    const behind = visit({ epoch, offset: 2 }, { bytesOut });
    expect(await behind.answer).toMatchObject({ recovered: false, reason: 'too_many' });
    expect([behind.heard, charged]).toEqual([[], []]);
    expect(await visit({ epoch, offset: 3 }, { bytesOut }).answer).toMatchObject({ recovered: true });
  });

  test('is charged for replayed messages', async () => {
    const { feed, publishMany, visit } = await startFedRoom();
    await feed.refresh();
    const { epoch } = await publishMany(3, 1000);
    const { charged, bytesOut } = budget(undefined);
    await visit({ epoch, offset: 1 }, { bytesOut }).answer;
    expect(charged).toHaveLength(1);
    expect(charged[0]).toBeGreaterThan(2_000);
  });
});

test('many large replays take turns, each one complete and in order', async () => {
  const { feed, publish, publishMany, visit } = await startFedRoom({ maxBufferedBytes: 200_000 });
  await feed.refresh();
  const { epoch } = await publishMany(40, 2_000);
  const visits = Array.from({ length: 12 }, () => visit({ epoch, offset: 0 }));
  await visits[0]?.answer;
  expect(visits.filter(({ heard }) => heard.length > 0).length, 'in the first turn').toBeLessThan(6);
  await publish();
  for (const { answer } of visits) expect(await answer).toMatchObject({ recovered: true });
  await eventually(() => visits.every(({ heard }) => heard.at(-1) === 41));
  for (const { heard } of visits) expect(heard).toEqual(offsets(1, 41));
});

test('recoveries are counted by result, except for sessions that name no position', async () => {
  const { feed, publishMany, metric, visit } = await startFedRoom({ maxReplayMessages: 5 });
  await feed.refresh();
  const { epoch } = await publishMany(10);
  for (const since of [undefined, { epoch, offset: 9 }, { epoch, offset: 1 }]) await visit(since).answer;
  expect(await metric('hubbub_edge_recoveries_total{result="recovered"}')).toMatch(/ 1$/);
  expect(await metric('hubbub_edge_recoveries_total{result="too_many"}')).toMatch(/ 1$/);
});
