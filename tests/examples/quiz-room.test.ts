/** The quiz room as people use it: a host and players on two edges, connections that drop, a service that is killed. */
import { randomBytes } from 'node:crypto';
import type { Frame } from '@hubbub/protocol';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { QUESTION_SETS } from '../../examples/quiz-room/question-sets.js';
import { eventually } from '../support/eventually.js';
import type { RawClient } from '../support/raw-client.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { EXAMPLE_TIMEOUT_MS, type RunningExample, startExample } from './support.js';

const CLEANUP_MS = 1500;
const QUESTION_MS = 4000;
const OFFLINE_AFTER_MS = 400;
/** The shortest that an edge takes. */
const IDLE_TIMEOUT_MS = 8000;

const questions = QUESTION_SETS[0]?.questions ?? [];
const rightAnswer = (index: number): number => questions[index]?.right ?? 0;
const wrongAnswer = (index: number): number => (rightAnswer(index) + 1) % 4;

/** A member without a page: it says and hears what a test wants. */
interface Player {
  readonly client: RawClient;
  readonly room: string;
  readonly code: string;
  readonly pass: string;
  readonly id: string;
  tell(type: string, payload?: object): Promise<Frame>;
}

const text = (value: unknown, name: string): string => String(Object(value)[name]);
const newPass = (): string => randomBytes(16).toString('hex');

describe('the quiz room', () => {
  let example: RunningExample;

  beforeAll(async () => {
    example = await startExample('quiz-room', {
      times: {
        EXAMPLE_CLEANUP_AFTER_MS: CLEANUP_MS,
        EXAMPLE_LOOK_EVERY_MS: 100,
        EXAMPLE_QUESTION_MS: QUESTION_MS,
      },
      hub: {
        idleTimeoutMs: IDLE_TIMEOUT_MS,
        namespaces: { quiz: { keepMembers: { offlineAfterMs: OFFLINE_AFTER_MS } } },
      },
    });
  }, EXAMPLE_TIMEOUT_MS);

  // ---- people with pages

  async function hostPage(name: string, { edge = 0, proxy }: { edge?: 0 | 1; proxy?: TcpProxy } = {}) {
    const page = await example.openPage('/', { edge });
    if (proxy !== undefined) await goThrough(page, proxy);
    const form = page.getByRole('form', { name: 'Host' });
    await form.getByLabel('Your name').fill(name);
    await form.getByRole('button', { name: 'Open a room' }).click();
    const code = await page.locator('[data-code]').getAttribute('data-code');
    return { page, code: String(code) };
  }

  async function playerPage(code: string, name: string, { edge = 1, proxy }: { edge?: 0 | 1; proxy?: TcpProxy } = {}) {
    const page = await example.openPage('/', { edge });
    if (proxy !== undefined) await goThrough(page, proxy);
    await fillIn(page, code, name);
    return page;
  }

  async function fillIn(page: Page, code: string, name: string): Promise<void> {
    const form = page.getByRole('form', { name: 'Join' });
    await form.getByLabel('Room code').fill(code);
    await form.getByLabel('Your name').fill(name);
    await form.getByRole('button', { name: 'Join the quiz' }).click();
  }

  /** The page reaches its edge through the proxy and not otherwise. */
  async function goThrough(page: Page, proxy: TcpProxy): Promise<void> {
    await page.route('**/config.json', route =>
      route.fulfill({ json: { title: 'Quiz night', edges: [`ws://127.0.0.1:${proxy.port}`] } }),
    );
  }

  /** The network is back, and the browser says so. */
  async function mend(proxy: TcpProxy, page: Page): Promise<void> {
    proxy.mend();
    await page.evaluate(() => dispatchEvent(new Event('online')));
  }

  const networkTo = (edge: 0 | 1) => startTcpProxy({ to: Number(new URL(example.cluster.edge(edge).httpUrl).port) });

  /** Names, as the page lists them; who is offline with a `-` before it. */
  async function people(page: Page): Promise<string[]> {
    return await page
      .locator('[data-member]')
      .evaluateAll(all => all.map(({ dataset }) => `${dataset.online === 'true' ? '' : '-'}${dataset.member}`).sort());
  }

  async function untilPeople(page: Page, names: readonly string[], withinMs = 10_000): Promise<void> {
    const wanted = [...names].sort().join(', ');
    await eventually(
      async () => {
        const seen = (await people(page)).join(', ');
        if (seen !== wanted) throw new Error(`The page lists ${seen}, not ${wanted}.`);
        return true;
      },
      { withinMs },
    );
  }

  const result = (page: Page, words: string) => page.locator('.status', { hasText: words });
  const chosen = (page: Page, state: string) => page.locator(`[data-answer="${state}"]`).waitFor();
  const scoreOn = async (page: Page, name: string): Promise<number> =>
    Number(await page.locator(`[data-player="${name}"]`).getAttribute('data-score'));
  const nameOnPodium = (page: Page, place: number) => page.locator(`[data-podium="${place}"]`).textContent();

  // ---- people without

  async function openRoom(name: string, edge: 0 | 1 = 0): Promise<Player> {
    const pass = newPass();
    const { status, body } = await example.ask('POST', '/api/rooms', { name, pass, set: 'mixed' });
    expect(status).toBe(200);
    return await take(body, pass, edge);
  }

  async function join(code: string, name: string, edge: 0 | 1 = 1): Promise<Player> {
    const pass = newPass();
    const { status, body } = await example.ask('POST', `/api/rooms/${code}/join`, { name, pass });
    expect(status).toBe(200);
    return await take(body, pass, edge);
  }

  async function take(admission: unknown, pass: string, edge: 0 | 1): Promise<Player> {
    const client = await example.connect('/ws', { token: text(admission, 'token'), edge });
    const room = text(admission, 'room');
    await client.join(room);
    const tell = (type: string, payload: object = {}) => client.ask({ type, room, payload });
    expect((await tell('join_quiz')).type).toBe('ack');
    const id = text(Object(admission).user, 'id');
    await client.nextFrame(isState({ members: [id] }));
    return { client, room, pass, id, tell, code: text(admission, 'code') };
  }

  /** A state in which these are, of this phase. */
  function isState({ members = [], phase, index }: Wanted): (frame: Frame) => boolean {
    return ({ type, payload }) => {
      if (type !== 'state') return false;
      const { members: there, phase: now, question } = payload as unknown as StatePayload;
      if (index !== undefined && question?.index !== index) return false;
      return members.every(id => there.some(each => each.id === id)) && (phase === undefined || phase === now);
    };
  }

  interface Wanted {
    readonly members?: readonly string[];
    readonly phase?: string;
    readonly index?: number;
  }

  interface StatePayload {
    readonly phase: string;
    readonly question?: { readonly index: number };
    readonly members: readonly {
      readonly id: string;
      readonly name: string;
      readonly score?: number;
      readonly online?: false;
    }[];
  }

  const scoreIn = ({ payload }: Frame, id: string): number | undefined =>
    (payload as unknown as StatePayload).members.find(member => member.id === id)?.score;

  /** As `people` of a page, by what the hub sent. */
  const namesIn = ({ payload }: Frame): string[] =>
    (payload as unknown as StatePayload).members
      .map(({ name, online }) => `${online === false ? '-' : ''}${name}`)
      .sort();

  const untilNames = (player: Player, names: readonly string[], withinMs = 10_000) =>
    eventually(() => namesIn(lastState(player)).join() === [...names].sort().join(), {
      withinMs,
      describe: `the state has ${names.join(', ')}`,
    });

  const lastState = ({ client }: Player): Frame => {
    const last = client.frames.findLast(({ type }) => type === 'state');
    if (last === undefined) throw new Error('No state has come yet.');
    return last;
  };

  const step = (question: number) => ({ round: 1, question });
  const refusal = (player: Player, code: string) => player.client.nextFrame({ type: 'error', payload: { code } });

  /** A quiz that is over: what follows is its end. */
  async function overQuiz(): Promise<{ host: Player; player: Player }> {
    const host = await openRoom('Host');
    const player = await join(host.code, 'Player');
    await host.tell('start_quiz');
    await player.client.nextFrame(isState({ phase: 'question' }));
    await host.tell('end_quiz', { round: 1 });
    await player.client.nextFrame(isState({ phase: 'ended' }));
    return { host, player };
  }

  // ---- joining

  test('two join: both see two; three join: all see three, over two edges', {
    timeout: EXAMPLE_TIMEOUT_MS,
  }, async () => {
    const { page: host, code } = await hostPage('Ann', { edge: 0 });
    await untilPeople(host, ['Ann']);
    const ben = await playerPage(code, 'Ben', { edge: 1 });
    for (const page of [host, ben]) await untilPeople(page, ['Ann', 'Ben']);
    const cleo = await playerPage(` ${code.toLowerCase().slice(0, 2)}-${code.slice(2)}`, 'Cleo', { edge: 0 });
    for (const page of [host, ben, cleo]) await untilPeople(page, ['Ann', 'Ben', 'Cleo']);
    for (const page of [host, ben, cleo]) await page.getByText('3 people').waitFor();
  });

  test('a wrong code, a name that is taken, one that is too long: said so that one knows what to do', async () => {
    const { code } = await openRoom('Ann');
    const page = await example.openPage('/', { edge: 1 });
    const problem = page.getByRole('form', { name: 'Join' }).getByRole('alert');
    const isTold = (words: string) =>
      eventually(async () => (await problem.textContent())?.includes(words), { describe: words });
    await fillIn(page, 'CCCCC', 'Ben');
    await isTold('There is no quiz with this code');
    await fillIn(page, code, 'ann');
    await isTold('is called ann already');
    await fillIn(page, code, 'B'.repeat(25));
    await isTold('too long');
    await fillIn(page, code, '   ');
    await isTold('Tell us your name');
    await fillIn(page, code, 'Ben');
    await untilPeople(page, ['Ann', 'Ben']);

    const wrong = { status: 400, body: { error: 'incorrect request' } };
    expect(await example.ask('POST', `/api/rooms/${code}/join`, { name: 'Cleo' })).toEqual(wrong);
    expect(await example.ask('POST', `/api/rooms/${code}/token`, { pass: newPass() })).toMatchObject({ status: 403 });
  });

  test('a join whose answer was lost takes the same seat when it is repeated', async () => {
    const { code } = await openRoom('Host');
    const body = { name: 'Ben', pass: newPass() };
    const [first, again] = [
      await example.ask('POST', `/api/rooms/${code}/join`, body),
      await example.ask('POST', `/api/rooms/${code}/join`, body),
    ];
    expect(again.status).toBe(200);
    expect(Object(again.body).user).toEqual(Object(first.body).user);
  });

  // ---- connections that drop

  test('the host’s connection dies: shown offline in time, the room lives on, and the host comes back', async () => {
    const proxy = await networkTo(0);
    const { page: host, code } = await hostPage('Ann', { proxy });
    const ben = await playerPage(code, 'Ben');
    await untilPeople(ben, ['Ann', 'Ben']);
    proxy.sever();
    await untilPeople(ben, ['-Ann', 'Ben']);
    await ben.getByText('Ann is offline. The room stays open').waitFor();
    await host.getByText('Reconnecting').waitFor();
    const cleo = await join(code, 'Cleo', 1);
    await untilPeople(ben, ['-Ann', 'Ben', 'Cleo']);
    await untilNames(cleo, ['-Ann', 'Ben', 'Cleo']);
    await mend(proxy, host);
    for (const page of [ben, host]) await untilPeople(page, ['Ann', 'Ben', 'Cleo'], 20_000);
    await host.getByRole('button', { name: 'Start the quiz' }).click();
    for (const page of [ben, host]) await page.locator('[data-question="0"]').waitFor();
  });

  test('a network that falls silent without a word is noticed by pings that are not answered', async () => {
    const proxy = await networkTo(1);
    const host = await openRoom('Ann');
    const ben = await playerPage(host.code, 'Ben', { proxy });
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
    const host = await openRoom('Ann');
    const ben = await playerPage(host.code, 'Ben');
    await untilNames(host, ['Ann', 'Ben']);
    const browser = ben.context();
    await ben.close();
    await untilNames(host, ['Ann', '-Ben']);
    const again = await browser.newPage();
    await again.goto(`${example.url}/?edge=0`);
    await again.getByRole('button', { name: 'Return as Ben' }).click();
    await untilNames(host, ['Ann', 'Ben']);
    await untilPeople(again, ['Ann', 'Ben']);
    await again.reload();
    await untilPeople(again, ['Ann', 'Ben']);
  });

  test('a player who leaves before the start is no member any more', async () => {
    const host = await openRoom('Ann');
    const ben = await playerPage(host.code, 'Ben');
    await untilNames(host, ['Ann', 'Ben']);
    await ben.getByRole('button', { name: 'Leave' }).click();
    await untilNames(host, ['Ann']);
    await ben.getByRole('form', { name: 'Join' }).waitFor();
  });

  // ---- playing

  test('a quiz from the lobby to the podium', { timeout: EXAMPLE_TIMEOUT_MS }, async () => {
    const { page: host, code } = await hostPage('Ann');
    const ben = await playerPage(code, 'Ben', { edge: 1 });
    const cleo = await playerPage(code, 'Cleo', { edge: 0 });
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

  test('answers: the first of each player counts, late ones and nonsense do not, and nobody sees the right one before', async () => {
    const host = await openRoom('Host');
    const [ben, cleo] = [await join(host.code, 'Ben', 0), await join(host.code, 'Cleo', 1)];
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

  test('only the host starts, goes on and ends, whatever a frame says of its sender', async () => {
    const host = await openRoom('Host');
    const ben = await join(host.code, 'Ben');
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

  test('steps that are said twice are done once', async () => {
    const host = await openRoom('Host');
    const ben = await join(host.code, 'Ben');
    await host.tell('start_quiz');
    await host.tell('start_quiz');
    await ben.tell('answer_submitted', { ...step(0), choice: rightAnswer(0) });
    await ben.client.nextFrame(isState({ phase: 'reveal' }));
    await host.tell('next_question', step(0));
    await host.tell('next_question', step(0));
    await ben.tell('answer_submitted', { ...step(1), choice: rightAnswer(1) });
    await ben.client.nextFrame(isState({ phase: 'reveal', index: 1 }));
    expect(Object(lastState(ben).payload).question).toMatchObject({ index: 1 });
  });

  // ---- the end of a room

  test('a room is cleaned up after its end and a time without activity, not before', async () => {
    const { host, player } = await overQuiz();
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
    expect(await example.ask('POST', `/api/rooms/${host.code}/token`, { pass: host.pass })).toEqual(gone);
    const keys = await example.redis.cli('--raw', 'KEYS', `${example.redis.prefix}-example:*${host.code}*`);
    expect(keys).toBe('');
  });

  test('a room whose quiz has not ended stays, however quiet it is', async () => {
    const quiet = await openRoom('Quiet');
    const { player } = await overQuiz(); // Whose room is closed meanwhile, by the same looks at deadlines.
    await player.client.nextFrame('room_closed');
    await quiet.client.noFrame('room_closed');
    expect((await example.ask('POST', `/api/rooms/${quiet.code}/join`, { name: 'Ben', pass: newPass() })).status).toBe(
      200,
    );
  });

  test('the page of a room that was cleaned up says so, also when it was away', async () => {
    const host = await openRoom('Ann');
    const proxy = await networkTo(1);
    const [ben, cleo] = [await playerPage(host.code, 'Ben'), await playerPage(host.code, 'Cleo', { proxy })];
    await untilNames(host, ['Ann', 'Ben', 'Cleo']);
    await host.tell('start_quiz');
    await cleo.locator('[data-question="0"]').waitFor();
    proxy.sever();
    await host.tell('end_quiz', { round: 1 });
    await ben.getByText('This room is closed').waitFor();
    await mend(proxy, cleo);
    await cleo.getByText('This room is closed').waitFor();
    await cleo.getByRole('button', { name: 'To the start' }).click();
    await cleo.getByRole('form', { name: 'Join' }).waitFor();
  });

  // ---- a service that dies, and two of it

  test('the service is killed in the middle of a quiz: answers given meanwhile count, once', {
    timeout: EXAMPLE_TIMEOUT_MS,
  }, async () => {
    const { page: host, code } = await hostPage('Ann');
    const ben = await playerPage(code, 'Ben');
    const cleo = await join(code, 'Cleo', 0);
    await untilPeople(host, ['Ann', 'Ben', 'Cleo']);
    await host.getByRole('button', { name: 'Start the quiz' }).click();
    await ben.locator('[data-question="0"]').waitFor();
    await example.service.kill();
    await ben.locator(`[data-choice="${rightAnswer(0)}"]`).click();
    await chosen(ben, 'taken');
    expect((await cleo.tell('answer_submitted', { ...step(0), choice: wrongAnswer(0) })).type).toBe('ack');
    expect((await cleo.tell('answer_submitted', { ...step(0), choice: rightAnswer(0) })).type).toBe('ack');
    await example.service.start();
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
    expect(await scoreOn(host, 'Ben')).toBeLessThanOrEqual(first + 1000);
    expect(cleo.client.frames.filter(({ type }) => type === 'answer_taken')).toHaveLength(2);
  });

  test('the time of a question is up, and a room is due, while no service is there: both are made up for', async () => {
    const host = await openRoom('Host');
    const ben = await join(host.code, 'Ben');
    await host.tell('start_quiz');
    await ben.client.nextFrame(isState({ phase: 'question' }));
    const over = await overQuiz();
    await example.service.kill();
    expect((await ben.tell('answer_submitted', { ...step(0), choice: rightAnswer(0) })).type).toBe('ack');
    await example.service.start();
    await Promise.all([over.host, over.player].map(({ client }) => client.nextFrame('room_closed')));
    await eventually(() => (scoreIn(lastState(ben), ben.id) ?? 0) > 500, { describe: 'the answer counts' });
    expect(Object(lastState(ben).payload).phase).toBe('reveal');
  });

  test('two services: either takes requests, one goes on when the other is killed', {
    timeout: EXAMPLE_TIMEOUT_MS,
  }, async () => {
    const another = await example.service.startAnother();
    const host = await openRoom('Host');
    const pass = newPass();
    const admission = await fetch(`${another.url}/api/rooms/${host.code}/join`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'Ben', pass }),
    });
    const ben = await take(await admission.json(), pass, 1);
    await host.client.nextFrame(isState({ members: [ben.id] }));
    await host.tell('start_quiz');
    await ben.client.nextFrame(isState({ phase: 'question' }));
    await ben.tell('answer_submitted', { ...step(0), choice: rightAnswer(0) });
    const both = await ben.client.nextFrame(isState({ phase: 'reveal', index: 0 }));

    await example.service.kill();
    await host.tell('next_question', step(0));
    await ben.client.nextFrame(isState({ phase: 'question', index: 1 }), { withinMs: 15_000 });
    await ben.tell('answer_submitted', { ...step(1), choice: wrongAnswer(1) });
    const alone = await ben.client.nextFrame(isState({ phase: 'reveal', index: 1 }));
    expect(scoreIn(alone, ben.id)).toBe(scoreIn(both, ben.id));
    await example.service.start();
    await host.tell('end_quiz', { round: 1 });
    await Promise.all([host, ben].map(({ client }) => client.nextFrame('room_closed')));
    for (const { client } of [host, ben]) await client.noFrame('room_closed');
    await another.process.kill('SIGTERM');
  });

  test('a service that was away for longer than news are kept asks the registry who is there', async () => {
    const host = await openRoom('Host', 0);
    const ben = await join(host.code, 'Ben', 1);
    await host.client.nextFrame(isState({ members: [ben.id] }));
    await example.service.kill();
    await ben.client.terminate();
    const streams = async (): Promise<string[]> =>
      (await example.redis.cli('--raw', 'KEYS', `${example.redis.prefix}:presence:*:lifecycle`))
        .split('\n')
        .filter(Boolean);
    await eventually(
      async () => {
        const texts = await Promise.all(
          (await streams()).map(key => example.redis.cli('--raw', 'XRANGE', key, '-', '+')),
        );
        return texts.some(news => news.includes('member_offline') && news.includes(ben.id));
      },
      { describe: 'the registry knows that Ben is offline' },
    );
    await example.redis.cli('DEL', ...(await streams()));
    await example.service.start();
    await host.client.nextFrame(({ type, payload }) => {
      if (type !== 'state') return false;
      const { members } = payload as unknown as StatePayload;
      return members.some(({ id, online }) => id === ben.id && online === false);
    });
  });
});
