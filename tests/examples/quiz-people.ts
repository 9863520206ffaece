/** The people of the quiz room's stories: some with pages, some without, who send and receive frames for a test. */
import { randomBytes } from 'node:crypto';
import type { Frame } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { QUESTION_SETS } from '../../examples/quiz-room/rooms.js';
import type { RawClient } from '../support/raw-client.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { goThrough, type RunningExample, startExample } from './support.js';

export const CLEANUP_MS = 1500;
export const QUESTION_MS = 4000;
const OFFLINE_AFTER_MS = 400;
/** The shortest that an edge takes. */
export const IDLE_TIMEOUT_MS = 8000;

export const questions = QUESTION_SETS[0]?.questions ?? [];
export const rightAnswer = (index: number): number => questions[index]?.right ?? 0;
export const wrongAnswer = (index: number): number => (rightAnswer(index) + 1) % 4;

/** A member without a page. */
export interface Player {
  readonly client: RawClient;
  readonly room: string;
  readonly code: string;
  readonly pass: string;
  readonly id: string;
  tell(type: string, payload?: object): Promise<Frame>;
}

const text = (value: unknown, name: string): string => String(Object(value)[name]);
export const newPass = (): string => randomBytes(16).toString('hex');

/** The example with short clocks, and people in it. */
export async function startQuizRoom() {
  const example = await startExample('quiz-room', {
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
  return { example, ...peopleOf(example) };
}

export type QuizRoomStory = Awaited<ReturnType<typeof startQuizRoom>>;

function peopleOf(example: RunningExample) {
  async function hostPage(name: string, { edge = 0, proxy }: { edge?: 0 | 1; proxy?: TcpProxy } = {}) {
    const page = await example.openPage('/', { edge });
    if (proxy !== undefined) await goThrough(page, `ws://127.0.0.1:${proxy.port}`);
    return { page, code: await enterAsHost(page, name) };
  }

  /** Opens a room; its code. */
  async function enterAsHost(page: Page, name: string): Promise<string> {
    const form = page.getByRole('form', { name: 'Host' });
    await form.getByLabel('Your name').fill(name);
    await form.getByRole('button', { name: 'Open a room' }).click();
    return String(await page.locator('[data-code]').getAttribute('data-code'));
  }

  async function playerPage(code: string, name: string, { edge = 1, proxy }: { edge?: 0 | 1; proxy?: TcpProxy } = {}) {
    const page = await example.openPage('/', { edge });
    if (proxy !== undefined) await goThrough(page, `ws://127.0.0.1:${proxy.port}`);
    await fillIn(page, code, name);
    return page;
  }

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

  const networkTo = (edge: 0 | 1) => startTcpProxy({ to: example.cluster.edge(edge).process.port });

  return { hostPage, enterAsHost, playerPage, openRoom, join, take, overQuiz, networkTo };
}

export async function fillIn(page: Page, code: string, name: string): Promise<void> {
  const form = page.getByRole('form', { name: 'Join' });
  await form.getByLabel('Room code').fill(code);
  await form.getByLabel('Your name').fill(name);
  await form.getByRole('button', { name: 'Join the quiz' }).click();
}

/** The network is back, and the browser reports it. */
export async function restore(proxy: TcpProxy, page: Page): Promise<void> {
  proxy.restore();
  await page.evaluate(() => dispatchEvent(new Event('online')));
}

/** Names, as the page lists them; who is offline with a `-` before it. */
async function people(page: Page): Promise<string[]> {
  return await page
    .locator('[data-member]')
    .evaluateAll(all => all.map(({ dataset }) => `${dataset.online === 'true' ? '' : '-'}${dataset.member}`).sort());
}

export async function untilPeople(page: Page, names: readonly string[], withinMs = 10_000): Promise<void> {
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

export const result = (page: Page, words: string) => page.locator('.status', { hasText: words });
export const chosen = (page: Page, state: string) => page.locator(`[data-answer="${state}"]`).waitFor();
export const scoreOn = async (page: Page, name: string): Promise<number> =>
  Number(await page.locator(`[data-player="${name}"]`).getAttribute('data-score'));
export const nameOnPodium = (page: Page, place: number) => page.locator(`[data-podium="${place}"]`).textContent();

interface StateFilter {
  readonly members?: readonly string[];
  readonly phase?: string;
  readonly index?: number;
}

export interface StatePayload {
  readonly phase: string;
  readonly question?: { readonly index: number };
  readonly members: readonly {
    readonly id: string;
    readonly name: string;
    readonly score?: number;
    readonly online?: false;
  }[];
}

/** A state in which these are, of this phase. */
export function isState({ members = [], phase, index }: StateFilter): (frame: Frame) => boolean {
  return ({ type, payload }) => {
    if (type !== 'state') return false;
    const { members: there, phase: now, question } = payload as unknown as StatePayload;
    if (index !== undefined && question?.index !== index) return false;
    return members.every(id => there.some(each => each.id === id)) && (phase === undefined || phase === now);
  };
}

export const scoreIn = ({ payload }: Frame, id: string): number | undefined =>
  (payload as unknown as StatePayload).members.find(member => member.id === id)?.score;

/** As `people` of a page, by what the hub sent. */
const namesIn = ({ payload }: Frame): string[] =>
  (payload as unknown as StatePayload).members
    .map(({ name, online }) => `${online === false ? '-' : ''}${name}`)
    .sort();

export const untilNames = (player: Player, names: readonly string[], withinMs = 10_000) =>
  eventually(() => namesIn(lastState(player)).join() === [...names].sort().join(), {
    withinMs,
    describe: `the state has ${names.join(', ')}`,
  });

export const lastState = ({ client }: Player): Frame => {
  const last = client.frames.findLast(({ type }) => type === 'state');
  if (last === undefined) throw new Error('No state has come yet.');
  return last;
};

export const step = (question: number) => ({ round: 1, question });
export const refusal = (player: Player, code: string) => player.client.nextFrame({ type: 'error', payload: { code } });
