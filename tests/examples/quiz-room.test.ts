/** The quiz room in use: a host and players on two edges, from the code to the podium and the end. */

import { eventually } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  CLEANUP_MS,
  fillIn,
  isState,
  lastState,
  nameOnPodium,
  newPass,
  QUESTION_MS,
  type QuizRoomStory,
  questions,
  refusal,
  restore,
  result,
  rightAnswer,
  scoreIn,
  scoreOn,
  startQuizRoom,
  step,
  untilNames,
  untilPeople,
  wrongAnswer,
} from './quiz-people.js';
import { EXAMPLE_TIMEOUT_MS } from './support.js';

describe('the quiz room', () => {
  let quiz: QuizRoomStory;

  beforeAll(async () => {
    quiz = await startQuizRoom();
  }, EXAMPLE_TIMEOUT_MS);

  test('two join: both see two; three join: all see three, over two edges', {
    timeout: EXAMPLE_TIMEOUT_MS,
  }, async () => {
    const { page: host, code } = await quiz.hostPage('Ann', { edge: 0 });
    await untilPeople(host, ['Ann']);
    const ben = await quiz.playerPage(code, 'Ben', { edge: 1 });
    for (const page of [host, ben]) await untilPeople(page, ['Ann', 'Ben']);
    const cleo = await quiz.playerPage(` ${code.toLowerCase().slice(0, 2)}-${code.slice(2)}`, 'Cleo', { edge: 0 });
    for (const page of [host, ben, cleo]) await untilPeople(page, ['Ann', 'Ben', 'Cleo']);
    for (const page of [host, ben, cleo]) await page.getByText('3 people').waitFor();
  });

  test('shows an address that a phone reaches, if the service listens on the network', async () => {
    const page = await quiz.example.openPage('/');
    const networkUrl = 'http://192.168.7.20:3000';
    const edges = quiz.example.edges.map(edge => edge.socketUrl(''));
    await page.route('**/config.json', route => route.fulfill({ json: { edges, networkUrl } }));
    await quiz.enterAsHost(page, 'Ann');
    await page.getByText('Join at 192.168.7.20:3000 with the code').waitFor();
    const { page: other, code } = await quiz.hostPage('Ben');
    await other.getByText(`Join at ${new URL(quiz.example.url).host} with the code`).waitFor();
    await other.getByRole('button', { name: 'Copy the link' }).click();
    await other.getByText(/Copied|\/\?room=/).waitFor();
    expect(code).toHaveLength(5);
  });

  test('explains a wrong code, a taken name and a name that is too long', async () => {
    const { code } = await quiz.openRoom('Ann');
    const page = await quiz.example.openPage('/', { edge: 1 });
    const problem = page.getByRole('form', { name: 'Join' }).getByRole('alert');
    const seesError = (words: string) =>
      eventually(async () => (await problem.textContent())?.includes(words), { describe: words });
    await fillIn(page, 'CCCCC', 'Ben');
    await seesError('There is no quiz with this code');
    await fillIn(page, code, 'ann');
    await seesError('is called ann already');
    await fillIn(page, code, 'B'.repeat(25));
    await seesError('too long');
    await fillIn(page, code, '   ');
    await seesError('Enter your name');
    await fillIn(page, code, 'Ben');
    await untilPeople(page, ['Ann', 'Ben']);

    const wrong = { status: 400, body: { error: 'incorrect request' } };
    expect(await quiz.example.ask('POST', `/api/rooms/${code}/join`, { name: 'Cleo' })).toEqual(wrong);
    expect(await quiz.example.ask('POST', `/api/rooms/${code}/token`, { pass: newPass() })).toMatchObject({
      status: 403,
    });
  });

  test('a join whose answer was lost takes the same seat when it is repeated', async () => {
    const { code } = await quiz.openRoom('Host');
    const body = { name: 'Ben', pass: newPass() };
    const [first, again] = [
      await quiz.example.ask('POST', `/api/rooms/${code}/join`, body),
      await quiz.example.ask('POST', `/api/rooms/${code}/join`, body),
    ];
    expect(again.status).toBe(200);
    expect(Object(again.body).user).toEqual(Object(first.body).user);
  });

  test('each entry is announced to everybody, also that of a known page that was away', async () => {
    const host = await quiz.openRoom('Ann', 0);
    const ben = await quiz.join(host.code, 'Ben', 1);
    await untilNames(host, ['Ann', 'Ben']);
    const newest = () => Math.max(...host.client.frames.map(({ offset = 0 }) => offset));
    const before = newest();
    expect((await ben.tell('join_quiz')).type).toBe('ack');
    // The registry has no news: the entry itself causes this.
    const notice = await host.client.nextFrame(({ type, offset = 0 }) => type === 'state' && offset > before);
    expect(Object(notice.payload).members).toHaveLength(2);
    await ben.client.nextFrame(({ type, offset }) => type === 'state' && offset === notice.offset);
  });

  test('a quiz from the lobby to the podium', { timeout: EXAMPLE_TIMEOUT_MS }, async () => {
    const { page: host, code } = await quiz.hostPage('Ann');
    const ben = await quiz.playerPage(code, 'Ben', { edge: 1 });
    const cleo = await quiz.playerPage(code, 'Cleo', { edge: 0 });
    await untilPeople(host, ['Ann', 'Ben', 'Cleo']);
    await host.getByRole('button', { name: 'Start the quiz' }).click();
    for (let question = 0; question < questions.length; question++) {
      for (const page of [ben, cleo]) await page.locator(`[data-question="${question}"]`).waitFor();
      await ben.keyboard.press(String(rightAnswer(question) + 1));
      await cleo.locator(`[data-choice="${wrongAnswer(question)}"]`).click();
      for (const page of [host, ben, cleo]) await page.locator('.answer.right').waitFor();
      await result(ben, 'Right!').waitFor();
      await result(cleo, 'Not this time.').waitFor();
      await host.getByRole('button', { name: /Next question|To the podium/ }).click();
    }
    for (const page of [host, ben, cleo]) expect(await nameOnPodium(page, 1)).toContain('Ben');
    await ben.getByRole('heading', { name: 'You have won!' }).waitFor();
    expect(await scoreOn(host, 'Ben')).toBeGreaterThan(questions.length * 500);
    expect(await scoreOn(host, 'Cleo')).toBe(0);
    await host.getByRole('button', { name: 'Play again' }).click();
    for (const page of [host, ben, cleo]) await untilPeople(page, ['Ann', 'Ben', 'Cleo']);
  });

  test('answers: the first of each player counts, late ones and nonsense do not, and the right one is hidden before', async () => {
    const host = await quiz.openRoom('Host');
    const [ben, cleo] = [await quiz.join(host.code, 'Ben', 0), await quiz.join(host.code, 'Cleo', 1)];
    await host.tell('start_quiz');
    const asked = await ben.client.nextFrame(isState({ phase: 'question' }));
    expect(Object(asked.payload).question).not.toHaveProperty('right');
    expect(Object(asked.payload).question).not.toHaveProperty('choices');

    await ben.tell('answer_submitted', { ...step(0), choice: 7 });
    await refusal(ben, 'INVALID_PAYLOAD');
    await ben.tell('answer_submitted', { ...step(0), choice: wrongAnswer(0) });
    await ben.client.nextFrame({ type: 'answer_taken', payload: { choice: wrongAnswer(0) } });
    await ben.tell('answer_submitted', { ...step(0), choice: rightAnswer(0) });
    await refusal(ben, 'ALREADY_ANSWERED');
    await cleo.client.nextFrame({ type: 'answer_counted', payload: { question: 0, answered: [ben.id] } });
    await host.tell('answer_submitted', { ...step(0), choice: rightAnswer(0) });
    await refusal(host, 'FORBIDDEN');

    // Cleo lets the time pass.
    const over = await ben.client.nextFrame(isState({ phase: 'reveal' }), { withinMs: QUESTION_MS + 5000 });
    expect(Object(over.payload).question).toMatchObject({
      right: rightAnswer(0),
      choices: { [ben.id]: wrongAnswer(0) },
    });
    await cleo.tell('answer_submitted', { ...step(0), choice: rightAnswer(0) });
    await refusal(cleo, 'TOO_LATE');
    await host.tell('end_quiz', { round: 1 });
    const end = await ben.client.nextFrame(isState({ phase: 'ended' }));
    expect([scoreIn(end, ben.id), scoreIn(end, cleo.id)]).toEqual([0, 0]);
  });

  test('only the host starts, continues and ends, whatever sender a frame names', async () => {
    const host = await quiz.openRoom('Host');
    const ben = await quiz.join(host.code, 'Ben');
    const asHost = { sender: { id: host.id, name: 'Host' } };
    for (const frame of [
      { type: 'start_quiz', payload: { user: host.id } },
      { type: 'end_quiz', payload: { round: 1 } },
      { type: 'end_question', payload: step(0) },
      { type: 'next_question', payload: step(0) },
      { type: 'play_again', payload: { round: 1, set: 'food' } },
    ]) {
      expect((await ben.client.ask({ ...frame, ...asHost, room: ben.room })).type).toBe('ack');
      await refusal(ben, 'FORBIDDEN');
    }
    await host.tell('join_quiz'); // Travels the same road behind them.
    await host.client.nextFrame(isState({ members: [ben.id] }));
    expect(Object(lastState(host).payload).phase).toBe('lobby');
  });

  test('repeated steps are executed once', async () => {
    const host = await quiz.openRoom('Host');
    const ben = await quiz.join(host.code, 'Ben');
    await host.tell('start_quiz');
    await host.tell('start_quiz');
    await ben.tell('answer_submitted', { ...step(0), choice: rightAnswer(0) });
    await ben.client.nextFrame(isState({ phase: 'reveal' }));
    await host.tell('next_question', step(0));
    await host.tell('next_question', step(0));
    await ben.tell('answer_submitted', { ...step(1), choice: rightAnswer(1) });
    await ben.client.nextFrame(isState({ phase: 'reveal', index: 1 }));
    // Steps of the first question do not affect the second, in any phase.
    await host.tell('next_question', step(0));
    await host.tell('end_quiz', { round: 2 });
    await host.tell('cheer', { emoji: '👏' }); // Travels the same road behind them.
    await ben.client.nextFrame('cheer');
    expect(lastState(ben).payload).toMatchObject({ phase: 'reveal', question: { index: 1 } });
  });

  test('a room is cleaned up after its end and a time without activity, not before', async () => {
    const { host, player } = await quiz.overQuiz();
    const endedAtMs = Date.now();
    let activeAtMs = endedAtMs;
    while (activeAtMs - endedAtMs < CLEANUP_MS + 500) {
      activeAtMs = Date.now();
      expect((await player.tell('cheer', { emoji: '🎉' })).type).toBe('ack');
      await host.client.nextFrame({ type: 'cheer', payload: { emoji: '🎉', name: 'Player' } });
      await eventually(() => Date.now() - activeAtMs > CLEANUP_MS / 5, { describe: 'some time has passed' });
    }
    await host.client.noFrame('room_closed');
    await Promise.all([host, player].map(({ client }) => client.nextFrame('room_closed')));
    expect(Date.now() - activeAtMs).toBeGreaterThanOrEqual(CLEANUP_MS);
    const gone = { status: 404, body: { error: expect.stringContaining('There is no quiz with this code') } };
    expect(await quiz.example.ask('POST', `/api/rooms/${host.code}/token`, { pass: host.pass })).toEqual(gone);
    const keys = await quiz.example.redis.cli('--raw', 'KEYS', `${quiz.example.redis.prefix}-example:*${host.code}*`);
    expect(keys).toBe('');
  });

  test('a room whose quiz has not ended stays, however quiet it is', async () => {
    const quiet = await quiz.openRoom('Quiet');
    const { player } = await quiz.overQuiz(); // The same checks of deadlines close its room meanwhile.
    await player.client.nextFrame('room_closed');
    await quiet.client.noFrame('room_closed');
    expect(
      (await quiz.example.ask('POST', `/api/rooms/${quiet.code}/join`, { name: 'Ben', pass: newPass() })).status,
    ).toBe(200);
  });

  test('the page of a room that was cleaned up shows that, also when it was away', async () => {
    const host = await quiz.openRoom('Ann');
    const proxy = await quiz.networkTo(1);
    const [ben, cleo] = [await quiz.playerPage(host.code, 'Ben'), await quiz.playerPage(host.code, 'Cleo', { proxy })];
    await untilNames(host, ['Ann', 'Ben', 'Cleo']);
    await host.tell('start_quiz');
    await cleo.locator('[data-question="0"]').waitFor();
    proxy.sever();
    await host.tell('end_quiz', { round: 1 });
    await ben.getByText('This room is closed').waitFor();
    await restore(proxy, cleo);
    await cleo.getByText('This room is closed').waitFor();
    await cleo.getByRole('button', { name: 'To the start' }).click();
    await cleo.getByRole('form', { name: 'Join' }).waitFor();
  });
});
