/** The quiz room when something breaks: connections that drop, a service that is killed, two of it. */

import { eventually } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { scoreOf } from '../../examples/quiz-room/rooms.js';
import {
  ANSWERS_ARRIVE_MS,
  answer,
  enter,
  newRoom,
  passTime,
  type QuizRoom,
  seat,
  start,
} from '../../examples/quiz-room/rules.js';
import {
  chosen,
  IDLE_TIMEOUT_MS,
  isState,
  lastState,
  newPass,
  type QuizRoomStory,
  refusal,
  restore,
  result,
  rightAnswer,
  type StatePayload,
  scoreIn,
  scoreOn,
  startQuizRoom,
  step,
  untilNames,
  untilPeople,
  wrongAnswer,
} from './quiz-people.js';
import { EXAMPLE_TIMEOUT_MS } from './support.js';

describe('the quiz room, when something breaks', () => {
  let quiz: QuizRoomStory;

  beforeAll(async () => {
    quiz = await startQuizRoom();
  }, EXAMPLE_TIMEOUT_MS);

  test('the host’s connection dies: shown offline in time, the room lives on, and the host returns', async () => {
    const proxy = await quiz.networkTo(0);
    const { page: host, code } = await quiz.hostPage('Ann', { proxy });
    const ben = await quiz.playerPage(code, 'Ben');
    await untilPeople(ben, ['Ann', 'Ben']);
    proxy.sever();
    await untilPeople(ben, ['-Ann', 'Ben']);
    await ben.getByText('Ann is offline. The room stays open').waitFor();
    await host.getByText('Reconnecting').waitFor();
    const cleo = await quiz.join(code, 'Cleo', 1);
    await untilPeople(ben, ['-Ann', 'Ben', 'Cleo']);
    await untilNames(cleo, ['-Ann', 'Ben', 'Cleo']);
    await restore(proxy, host);
    for (const page of [ben, host]) await untilPeople(page, ['Ann', 'Ben', 'Cleo'], 20_000);
    await host.getByRole('button', { name: 'Start the quiz' }).click();
    for (const page of [ben, host]) await page.locator('[data-question="0"]').waitFor();
  });

  test('a network that falls silent is noticed by pings that are not answered', async () => {
    const proxy = await quiz.networkTo(1);
    const host = await quiz.openRoom('Ann');
    const ben = await quiz.playerPage(host.code, 'Ben', { proxy });
    await untilPeople(ben, ['Ann', 'Ben']);
    const since = Date.now();
    proxy.behave({ blackHole: true });
    await untilNames(host, ['Ann', '-Ben'], 20_000);
    // Not before the silence was long enough: the page answered the last ping at most one interval earlier.
    expect(Date.now() - since).toBeGreaterThan(IDLE_TIMEOUT_MS / 2);
    proxy.behave({});
    await untilNames(host, ['Ann', 'Ben'], 20_000);
    await untilPeople(ben, ['Ann', 'Ben']);
  });

  test('a player who closed the page stays a member, and returns to the same seat', async () => {
    const host = await quiz.openRoom('Ann');
    const ben = await quiz.playerPage(host.code, 'Ben');
    await untilNames(host, ['Ann', 'Ben']);
    const browser = ben.context();
    await ben.close();
    await untilNames(host, ['Ann', '-Ben']);
    const again = await browser.newPage();
    await again.goto(`${quiz.example.url}/?edge=0`);
    await again.getByRole('button', { name: 'Return as Ben' }).click();
    await untilNames(host, ['Ann', 'Ben']);
    await untilPeople(again, ['Ann', 'Ben']);
    await again.reload();
    await untilPeople(again, ['Ann', 'Ben']);
  });

  test('a player who leaves before the start is not a member any more', async () => {
    const host = await quiz.openRoom('Ann');
    const ben = await quiz.playerPage(host.code, 'Ben');
    await untilNames(host, ['Ann', 'Ben']);
    await ben.getByRole('button', { name: 'Leave' }).click();
    await untilNames(host, ['Ann']);
    await ben.getByRole('form', { name: 'Join' }).waitFor();
  });

  test('the service is killed in the middle of a quiz: answers given meanwhile count, once', {
    timeout: EXAMPLE_TIMEOUT_MS,
  }, async () => {
    const { page: host, code } = await quiz.hostPage('Ann');
    const ben = await quiz.playerPage(code, 'Ben');
    const cleo = await quiz.join(code, 'Cleo', 0);
    await untilPeople(host, ['Ann', 'Ben', 'Cleo']);
    await host.getByRole('button', { name: 'Start the quiz' }).click();
    await ben.locator('[data-question="0"]').waitFor();
    await quiz.example.service.kill();
    await ben.locator(`[data-choice="${rightAnswer(0)}"]`).click();
    await chosen(ben, 'taken');
    expect((await cleo.tell('answer_submitted', { ...step(0), choice: wrongAnswer(0) })).type).toBe('ack');
    expect((await cleo.tell('answer_submitted', { ...step(0), choice: rightAnswer(0) })).type).toBe('ack');
    await quiz.example.service.start();
    await result(ben, 'Right!').waitFor({ timeout: 20_000 });
    await refusal(cleo, 'ALREADY_ANSWERED');
    const first = await scoreOn(host, 'Ben');
    expect(first).toBeGreaterThan(500);
    expect(first).toBeLessThanOrEqual(1000);
    expect(await scoreOn(host, 'Cleo')).toBe(0);
    await host.getByRole('button', { name: 'Next question' }).click();
    await ben.locator('[data-question="1"]').waitFor();
    await ben.locator(`[data-choice="${rightAnswer(1)}"]`).click();
    await cleo.tell('answer_submitted', { ...step(1), choice: rightAnswer(1) });
    await result(ben, 'Right!').waitFor();
    await eventually(async () => (await scoreOn(host, 'Ben')) > first, { describe: 'the second answer counts' });
    expect(await scoreOn(host, 'Ben')).toBeLessThanOrEqual(first + 1000);
    expect(cleo.client.frames.filter(({ type }) => type === 'answer_taken')).toHaveLength(2);
  });

  test('the time of a question is up, and a room is due, while no service is there: the service does both when it returns', async () => {
    const host = await quiz.openRoom('Host');
    const ben = await quiz.join(host.code, 'Ben');
    await host.tell('start_quiz');
    const asked = await ben.client.nextFrame(isState({ phase: 'question' }));
    const over = await quiz.overQuiz();
    await quiz.example.service.kill();
    expect((await ben.tell('answer_submitted', { ...step(0), choice: rightAnswer(0) })).type).toBe('ack');
    const endsAtMs = Number(Object(Object(asked.payload).question).ends_at_ms);
    await eventually(() => Date.now() > endsAtMs + ANSWERS_ARRIVE_MS, { describe: 'the time is up' });
    await quiz.example.service.start();
    await Promise.all([over.host, over.player].map(({ client }) => client.nextFrame('room_closed')));
    await eventually(() => (scoreIn(lastState(ben), ben.id) ?? 0) > 500, { describe: 'the answer counts' });
    expect(Object(lastState(ben).payload).phase).toBe('reveal');
  });

  test('two services: either takes requests, one continues when the other is killed', {
    timeout: EXAMPLE_TIMEOUT_MS,
  }, async () => {
    const another = await quiz.example.service.startAnother();
    const host = await quiz.openRoom('Host');
    const pass = newPass();
    const admission = await fetch(`${another.url}/api/rooms/${host.code}/join`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'Ben', pass }),
    });
    const ben = await quiz.take(await admission.json(), pass, 1);
    await host.client.nextFrame(isState({ members: [ben.id] }));
    await host.tell('start_quiz');
    await ben.client.nextFrame(isState({ phase: 'question' }));
    await ben.tell('answer_submitted', { ...step(0), choice: rightAnswer(0) });
    const both = await ben.client.nextFrame(isState({ phase: 'reveal', index: 0 }));

    await quiz.example.service.kill();
    await host.tell('next_question', step(0));
    await ben.client.nextFrame(isState({ phase: 'question', index: 1 }));
    await ben.tell('answer_submitted', { ...step(1), choice: wrongAnswer(1) });
    const alone = await ben.client.nextFrame(isState({ phase: 'reveal', index: 1 }));
    expect(scoreIn(alone, ben.id)).toBe(scoreIn(both, ben.id));
    await quiz.example.service.start();
    await host.tell('end_quiz', { round: 1 });
    await Promise.all([host, ben].map(({ client }) => client.nextFrame('room_closed')));
    for (const { client } of [host, ben]) await client.noFrame('room_closed');
    await another.process.kill('SIGTERM');
  });

  test('a service that was away for longer than news are kept asks the registry who is there', async () => {
    const host = await quiz.openRoom('Host', 0);
    const ben = await quiz.join(host.code, 'Ben', 1);
    await host.client.nextFrame(isState({ members: [ben.id] }));
    await quiz.example.service.kill();
    await ben.client.terminate();
    const streams = async (): Promise<string[]> =>
      (await quiz.example.redis.cli('--raw', 'KEYS', `${quiz.example.redis.prefix}:presence:*:lifecycle`))
        .split('\n')
        .filter(Boolean);
    await eventually(
      async () => {
        const texts = await Promise.all(
          (await streams()).map(key => quiz.example.redis.cli('--raw', 'XRANGE', key, '-', '+')),
        );
        return texts.some(news => news.includes('member_offline') && news.includes(ben.id));
      },
      { describe: 'the registry knows that Ben is offline' },
    );
    await quiz.example.redis.cli('DEL', ...(await streams()));
    await quiz.example.service.start();
    await host.client.nextFrame(({ type, payload }) => {
      if (type !== 'state') return false;
      const { members } = payload as unknown as StatePayload;
      return members.some(({ id, online }) => id === ben.id && online === false);
    });
  });

  test('an answer that was in time counts once, in whatever order the service learns of it and of the end', () => {
    const NOW = 1_000_000;
    const act = (userId: string, atMs: number, entryId = `${userId}-${atMs}`) => ({ userId, atMs, entryId });
    const withMember = (room: QuizRoom, name: 'host' | 'ben' | 'cleo') => {
      const role = name === 'host' ? ('host' as const) : ('player' as const);
      return enter(seat(room, { id: name, name, role, passHash: name }, NOW), name, NOW);
    };
    const lobby = (['host', 'ben', 'cleo'] as const).reduce(withMember, newRoom('CCCCC', 'mixed', NOW));
    const asked = start(lobby, act('host', NOW), { nowMs: NOW, questionMs: 1000 });
    const choice = { ...step(0), choice: rightAnswer(0) };
    const pass = (room: QuizRoom) => passTime(room, NOW + 5000, 1000);
    const before = pass(answer(asked, act('ben', NOW + 500), choice));
    const after = answer(pass(asked), act('ben', NOW + 500), choice);
    expect([scoreOf(before, 'ben'), scoreOf(after, 'ben')]).toEqual([750, 750]);
    expect(answer(after, act('ben', NOW + 500), choice)).toBe(after);
    expect(() => answer(after, act('ben', NOW + 600), choice)).toThrow('the first answer counts');
    expect(() => answer(after, act('cleo', NOW + 1001), choice)).toThrow('too late');
  });
});
