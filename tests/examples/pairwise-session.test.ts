/** The pairwise session as systems.md tells it: attendees on two edges compare features until they agree. */
import type { Frame } from '@hubbub/protocol';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { once, toTell } from '../../examples/pairwise-session/handled-once.js';
import { newSession as newDocument } from '../../examples/pairwise-session/session-document.js';
import { join, vote } from '../../examples/pairwise-session/session-rules.js';
import { eventually } from '../support/eventually.js';
import { connect, connectRefused, type RawClient } from '../support/raw-client.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { EXAMPLE_TIMEOUT_MS, type RunningExample, startExample } from './support.js';

let example: RunningExample;

beforeAll(async () => {
  example = await startExample('pairwise-session', {
    times: { EXAMPLE_LEASE_MS: 1000, EXAMPLE_JOIN_SETTLED_MS: 1 },
    env: { HUBBUB_IDLE_TIMEOUT_MS: '8000' }, // The least there is: one story waits for a silent connection.
    hub: { namespaces: { pairwise: { leaveGraceMs: 200 } } },
  });
}, EXAMPLE_TIMEOUT_MS);

interface Attendee {
  readonly id: string;
  readonly name: string;
  readonly key: string;
}

interface Session {
  readonly project: string;
  readonly key: string;
  readonly session: string;
  readonly room: string;
  readonly attendees: readonly Attendee[];
}

const NAMES = ['Ada', 'Grace', 'Linus'];
const FEATURES = ['Works offline', 'Shared calendars', 'Dark mode'];

const FOR_FIRST = { preferred_feature_id: 'f1', is_tie_vote: false };
const FOR_SECOND = { preferred_feature_id: 'f2', is_tie_vote: false };
const TIE = { preferred_feature_id: null, is_tie_vote: true };

async function ask<Answer>(path: string, body: object, key = ''): Promise<Answer> {
  const response = await fetch(`${example.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as Answer;
  if (!response.ok) throw new Error(`${path}: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
}

async function makeSession(names = NAMES, features = FEATURES): Promise<Session> {
  const { project_id: project, key } = await ask<{ project_id: string; key: string }>('/api/projects', { name: 'P' });
  const wanted = { name: 'S', features: features.map(name => ({ name })) };
  const { session_id } = await ask<{ session_id: string }>(`/api/projects/${project}/sessions`, wanted, key);
  const attendees: Attendee[] = [];
  for (const name of names) {
    const added = await ask<{ attendee_id: string; key: string }>(`/api/projects/${project}/attendees`, { name }, key);
    attendees.push({ id: added.attendee_id, name, key: added.key });
  }
  return { project, key, session: session_id, room: `pairwise:${project}.${session_id}`, attendees };
}

function attendeeAt({ attendees }: Session, index: number): Attendee {
  const attendee = attendees[index];
  if (attendee === undefined) throw new Error(`The session has no attendee ${index}.`);
  return attendee;
}

function pathOf({ project, session }: Pick<Session, 'project' | 'session'>, attendee: string): string {
  return `/projects/${project}/sessions/${session}/attendees/${attendee}/ws`;
}

async function tokenOf({ project, session }: Session, { id, key }: Attendee): Promise<string> {
  const path = `/api/projects/${project}/sessions/${session}/attendees/${id}/token`;
  return (await ask<{ token: string }>(path, { key })).token;
}

/** An attendee's connection that has not joined. */
async function open(session: Session, index: number, edge: 0 | 1 = index % 2 === 0 ? 0 : 1): Promise<RawClient> {
  const attendee = attendeeAt(session, index);
  const token = await tokenOf(session, attendee);
  return await example.connect(pathOf(session, attendee.id), { edge, token, name: attendee.name });
}

/** An attendee who has joined and knows how all stands. */
async function attend(session: Session, index: number): Promise<RawClient> {
  const client = await open(session, index);
  const id = `join${++frames}`; // A second one of the same id within five minutes would change nothing.
  await tell(client, 'join_session', {}, id);
  await client.nextFrame({ type: 'session_progress', id });
  return client;
}

/** Everybody, and everybody knows that everybody is here. */
async function attendAll(session: Session): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  for (const index of session.attendees.keys()) clients.push(await attend(session, index));
  const last = session.attendees.at(-1)?.id;
  for (const client of clients) await client.nextFrame({ type: 'attendee_joined', payload: { attendee_id: last } });
  return clients;
}

let frames = 0;

/** Sends an event without a room: it is about that of the path. */
async function tell(client: RawClient, type: string, payload: object, id = `e${++frames}`): Promise<void> {
  client.send({ type, payload, id });
  await client.nextFrame({ type: 'ack', id });
}

async function cast(client: RawClient, comparison_id: string, choice: object): Promise<void> {
  await tell(client, 'vote_submitted', { vote: { comparison_id, ...choice } });
}

const OWN_TYPES = ['attendee_', 'vote_', 'consensus_', 'session_', 'comparison_', 'system_'];

/** What the service has told the room, in order, without what it told this one as an answer. */
function toldToAll({ frames }: RawClient): Frame[] {
  return frames.filter(({ type, offset }) => offset !== undefined && OWN_TYPES.some(own => type.startsWith(own)));
}

function typesAndPayloads(frames: readonly Frame[]): [string, unknown][] {
  return frames.map(({ type, payload }) => [type, payload]);
}

/** An attendee's page, on the edge of that number. */
async function openPage(session: Session, index: number, edge: 0 | 1): Promise<Page> {
  const { id, key } = attendeeAt(session, index);
  const query = new URLSearchParams({ project: session.project, session: session.session, attendee: id });
  const page = await example.openPage(`/?${query}#${key}`, { edge });
  await page.locator('#session:not([hidden])').waitFor();
  return page;
}

async function untilHere(page: Page, count: number): Promise<void> {
  await eventually(async () => (await page.locator('#people li:not(.away)').count()) === count, {
    describe: `${count} are here`,
  });
}

const says = (page: Page, text: string | RegExp): Promise<void> =>
  page.locator('#verdict', { hasText: text }).waitFor({ timeout: 15_000 });

test('three people make a session and compare until they agree, by mouse and keyboard, on two edges', async () => {
  const start = await example.openPage('/');
  await start.getByLabel('What is it about?').fill('Roadmap <b>2027</b>');
  await start.getByLabel('Something to compare 3').fill('');
  await start.getByLabel('Name 3').fill('Linus');
  await start.getByRole('button', { name: 'Make the session' }).click();
  await start.locator('#links a').first().waitFor();
  const links = await start.locator('#links a').evaluateAll(all => all.map(link => link.getAttribute('href') ?? ''));
  expect(links).toHaveLength(3);
  const pages: Page[] = [];
  for (const [index, link] of links.entries()) {
    pages.push(await example.openPage(link, { edge: index === 1 ? 1 : 0 }));
  }
  const [ada, grace, linus] = pages as [Page, Page, Page];
  for (const page of pages) await untilHere(page, 3);
  await ada.locator('#position', { hasText: 'Roadmap <b>2027</b> · pair 1 of 1' }).waitFor();

  await ada.keyboard.press('ArrowLeft');
  await ada.keyboard.press('Enter');
  await says(ada, 'Waiting for Grace Hopper and Linus.');
  // Who has voted is seen; what is not.
  await grace.locator('#people li[data-attendee^="Ada"]', { hasText: 'voted' }).waitFor();
  expect(await grace.locator('.voters .avatar').count()).toBe(0);
  await grace.keyboard.press('=');
  await grace.keyboard.press('Enter');
  await linus.locator('#second').click();
  for (const page of pages) await says(page, 'You do not agree yet.');
  expect(await linus.locator('.voters .avatar').count()).toBe(3);

  await grace.locator('#first').click();
  await linus.locator('#first').click();
  for (const page of pages) {
    await says(page, 'Settled: Works offline.');
    await page.locator('#progress-text', { hasText: '1 of 1 settled' }).waitFor();
    await page.getByText('You agree on everything.').waitFor();
  }

  await grace.locator('#tie').click();
  // At once: a toast goes by itself.
  await Promise.all(
    pages.map(async page => {
      await page.locator('.toast', { hasText: 'No longer agreed' }).waitFor();
      await says(page, 'You do not agree yet.');
      await page.locator('#progress-text', { hasText: '0 of 1 settled' }).waitFor();
    }),
  );
});

test('a vote is stored and told, the last one makes a consensus, a changed one unmakes it', async () => {
  const session = await makeSession(NAMES.slice(0, 2));
  const [ada, grace] = (await attendAll(session)) as [RawClient, RawClient];
  const [{ id: adaId }, { id: graceId }] = session.attendees as [Attendee, Attendee];
  const features = [
    { feature_id: 'f1', name: 'Works offline', description: '' },
    { feature_id: 'f2', name: 'Shared calendars', description: '' },
  ];
  const open = { comparison_id: 'c1', features, consensus: null };
  const progress = (completed_comparisons: number, progress_percentage: number) => ({
    total_comparisons: 3,
    completed_comparisons,
    progress_percentage,
    is_complete: false,
  });

  await cast(ada, 'c1', FOR_FIRST);
  await grace.nextFrame('session_progress');
  await cast(grace, 'c1', FOR_FIRST);
  await ada.nextFrame('consensus_reached');
  await cast(grace, 'c1', TIE);
  await ada.nextFrame('consensus_lost');
  const last = { type: 'session_progress', payload: { completed_comparisons: 0 } };
  for (const client of [ada, grace]) {
    await eventually(() => toldToAll(client).filter(({ type }) => type === 'session_progress').length === 3, {
      describe: JSON.stringify(last),
    });
    expect(typesAndPayloads(toldToAll(client)).filter(([type]) => type !== 'attendee_joined')).toEqual([
      ['vote_received', { comparison_id: 'c1', attendee_id: adaId, votes_received: 1, votes_expected: 2 }],
      ['comparison_update', { ...open, voted: [adaId], votes: null }],
      ['session_progress', progress(0, 0)],
      ['vote_received', { comparison_id: 'c1', attendee_id: graceId, votes_received: 2, votes_expected: 2 }],
      [
        'comparison_update',
        {
          ...open,
          voted: [adaId, graceId],
          votes: [
            { attendee_id: adaId, ...FOR_FIRST },
            { attendee_id: graceId, ...FOR_FIRST },
          ],
          consensus: FOR_FIRST,
        },
      ],
      ['consensus_reached', { comparison_id: 'c1', ...FOR_FIRST }],
      ['session_progress', progress(1, 33)],
      ['vote_received', { comparison_id: 'c1', attendee_id: graceId, votes_received: 2, votes_expected: 2 }],
      [
        'comparison_update',
        {
          ...open,
          voted: [adaId, graceId],
          votes: [
            { attendee_id: adaId, ...FOR_FIRST },
            { attendee_id: graceId, ...TIE },
          ],
        },
      ],
      ['consensus_lost', { comparison_id: 'c1' }],
      ['session_progress', progress(0, 0)],
    ]);
  }
});

test('all comparisons agreed, ties too: the session is complete; who joins then sees all of it', async () => {
  const session = await makeSession(NAMES);
  const [ada, grace] = [await attend(session, 0), await attend(session, 1)];
  for (const [comparison, choice] of Object.entries({ c1: FOR_FIRST, c2: TIE, c3: FOR_SECOND })) {
    await cast(ada, comparison, choice);
    await cast(grace, comparison, choice);
  }
  const complete = { total_comparisons: 3, completed_comparisons: 3, progress_percentage: 100, is_complete: true };
  const { payload } = await ada.nextFrame({ type: 'session_progress', payload: { is_complete: true } });
  expect(payload).toEqual(complete);

  const linus = await open(session, 2);
  await tell(linus, 'join_session', {}, 'join');
  expect((await linus.nextFrame({ type: 'session_progress', id: 'join' })).payload).toEqual(complete);
  const answers = linus.frames.filter(({ type, id }) => id === 'join' && type !== 'ack');
  expect(answers.map(({ type }) => type)).toEqual([
    ...Array(3).fill('attendee_joined'),
    ...Array(3).fill('comparison_update'),
    'session_progress',
  ]);
  expect(answers[4]?.payload).toMatchObject({ comparison_id: 'c2', consensus: TIE, own_vote: null });
});

test('the votes of who leaves wait for the return: the others may agree without', async () => {
  const session = await makeSession();
  const [ada, grace, linus] = (await attendAll(session)) as [RawClient, RawClient, RawClient];
  const linusId = attendeeAt(session, 2).id;
  await cast(linus, 'c1', FOR_SECOND);
  await cast(ada, 'c1', FOR_FIRST);
  await cast(grace, 'c1', FOR_FIRST);
  await ada.nextFrame({ type: 'vote_received', payload: { votes_received: 3 } });
  await ada.noFrame('consensus_reached');
  await tell(linus, 'leave_session', {});
  expect((await ada.nextFrame('attendee_left')).payload).toEqual({ attendee_id: linusId, reason: 'left' });
  expect((await ada.nextFrame('consensus_reached')).payload).toEqual({ comparison_id: 'c1', ...FOR_FIRST });
  await cast(linus, 'c2', TIE);
  expect((await linus.nextFrame('error')).payload).toMatchObject({ code: 'NOT_JOINED' });
  await tell(linus, 'join_session', {});
  expect((await grace.nextFrame('consensus_lost')).payload).toEqual({ comparison_id: 'c1' });
});

describe('a malformed vote gets `error` and changes nothing', () => {
  const vote = { comparison_id: 'c1', ...FOR_FIRST };
  const table: [string, object, string][] = [
    ['no vote', {}, 'INVALID_PAYLOAD'],
    ['a vote that is text', { vote: 'f1' }, 'INVALID_PAYLOAD'],
    ['no comparison', { vote: FOR_FIRST }, 'INVALID_PAYLOAD'],
    ['a comparison that is a number', { vote: { ...vote, comparison_id: 1 } }, 'INVALID_PAYLOAD'],
    ['no preferred feature', { vote: { comparison_id: 'c1', is_tie_vote: true } }, 'INVALID_PAYLOAD'],
    ['a preferred feature that is a list', { vote: { ...vote, preferred_feature_id: ['f1'] } }, 'INVALID_PAYLOAD'],
    ['no word on a tie', { vote: { comparison_id: 'c1', preferred_feature_id: 'f1' } }, 'INVALID_PAYLOAD'],
    ['a tie that is text', { vote: { ...vote, is_tie_vote: 'false' } }, 'INVALID_PAYLOAD'],
    ['a tie with a preferred feature', { vote: { ...vote, is_tie_vote: true } }, 'INVALID_PAYLOAD'],
    ['neither', { vote: { ...vote, preferred_feature_id: null } }, 'INVALID_PAYLOAD'],
    ['a comparison of no session', { vote: { ...vote, comparison_id: 'c9' } }, 'UNKNOWN_COMPARISON'],
    ['a feature of another comparison', { vote: { ...vote, preferred_feature_id: 'f3' } }, 'UNKNOWN_FEATURE'],
    ['the name of a prototype', { vote: { ...vote, comparison_id: 'constructor' } }, 'UNKNOWN_COMPARISON'],
  ];

  test('each of them', async () => {
    const session = await makeSession(NAMES.slice(0, 2));
    const [ada, grace] = (await attendAll(session)) as [RawClient, RawClient];
    for (const [what, payload, code] of table) {
      const bad = await open(session, 0); // Each with ten messages of its own.
      const id = `bad${++frames}`;
      await tell(bad, 'vote_submitted', payload, id);
      const answer = await bad.nextFrame({ type: 'error', id });
      expect(answer.payload, what).toEqual({ code, message: expect.any(String) });
      await bad.close();
    }
    // Behind them, in the same room: what they had done would stand before it.
    await cast(grace, 'c3', TIE);
    for (const client of [ada, grace]) {
      await client.nextFrame({ type: 'session_progress', payload: { completed_comparisons: 0 } });
      expect(toldToAll(client).filter(({ type }) => type === 'vote_received')).toHaveLength(1);
      expect(client.frames.filter(({ type }) => type === 'error')).toEqual([]);
    }
  });
});

describe('before the upgrade', () => {
  test('attendee, project and session must belong together, and the session be active: else 401', async () => {
    const [one, other] = [await makeSession(), await makeSession()];
    const [ada, grace] = one.attendees as [Attendee, Attendee, Attendee];
    const token = await tokenOf(one, ada);
    const stranger = await tokenOf(other, attendeeAt(other, 0));
    const refused: [string, string, string | undefined][] = [
      ["another attendee's path", pathOf(one, grace.id), token],
      ['a foreign project', pathOf(other, ada.id), token],
      ['a session of a foreign project', pathOf({ ...one, session: other.session }, ada.id), token],
      ['a foreign attendee', pathOf(one, attendeeAt(other, 0).id), stranger],
      ['an unknown session', pathOf({ ...one, session: '000000000000' }, ada.id), token],
      ['a name of every object', pathOf(one, 'constructor'), example.token({ user: 'constructor', rooms: ['*'] })],
      ["the hub's own path of the room", `/rooms/${one.room}/ws`, token],
      ['no room at all', '/ws', token],
      ['no token', pathOf(one, ada.id), undefined],
    ];
    for (const [what, path, given] of refused) {
      const options = given === undefined ? {} : { token: given };
      const address = `${example.edges[0]?.httpUrl.replace('http', 'ws')}${path}`;
      const { status, body } = await connectRefused(address, options);
      expect([status, JSON.parse(body).code], what).toEqual([401, 'UNAUTHORIZED']);
    }

    const client = await attend(one, 0);
    const answer = await client.ask({ type: 'join_room', payload: { room_id: other.room } });
    expect(answer).toMatchObject({ type: 'error', payload: { code: 'FORBIDDEN' } });
  });

  test('only the link of an attendee gives a token, only the key of a project manages it', async () => {
    const { project, session, attendees } = await makeSession();
    const token = `/api/projects/${project}/sessions/${session}/attendees/${attendees[0]?.id}/token`;
    expect(await example.ask('POST', token, { key: attendees[1]?.key ?? '' })).toMatchObject({ status: 403 });
    expect(await example.ask('POST', token, {})).toEqual({ status: 400, body: { error: 'incorrect request' } });
    const close = `/api/projects/${project}/sessions/${session}/close`;
    expect(await example.ask('POST', close, {})).toMatchObject({ status: 403 });
    expect(await example.ask('POST', '/authorize', {})).toMatchObject({ status: 403 });
    const badBodies = [{}, { name: '' }, { name: 'x'.repeat(81) }, { name: 'P', key: 'mine' }];
    for (const body of badBodies)
      expect(await example.ask('POST', '/api/projects', body)).toMatchObject({ status: 400 });
  });
});

test('who votes, and where, is said by token and path: what the frame says of it is not read', async () => {
  const [session, other] = [await makeSession(), await makeSession()];
  const [ada, grace] = (await attendAll(session)) as [RawClient, RawClient];
  const [{ id: adaId }, { id: graceId }] = session.attendees as [Attendee, Attendee];
  const vote = { comparison_id: 'c1', ...FOR_FIRST, attendee_id: graceId, session_id: other.session };
  const forged = { vote, attendee_id: graceId, session_id: other.session, user: { id: graceId } };
  ada.send({ type: 'vote_submitted', payload: forged, sender: { id: graceId, name: 'Grace' }, id: 'forged' });
  expect((await grace.nextFrame('vote_received')).payload).toMatchObject({ attendee_id: adaId });
  expect((await grace.nextFrame({ type: 'comparison_update', payload: { voted: [adaId] } })).payload).toBeDefined();
  ada.send({ type: 'vote_submitted', room: other.room, payload: { vote }, id: 'elsewhere' });
  await ada.nextFrame({ type: 'error', id: 'elsewhere', payload: { code: 'NOT_IN_ROOM' } });
});

describe('ten messages, one back per second', () => {
  test('what is too much is refused, and one more goes when the edge says so', async () => {
    const session = await makeSession(['Ada']);
    const client = await open(session, 0);
    const send = (count: number): void => {
      for (let index = 0; index < count; index++) client.send({ type: 'join_session', id: `j${++frames}` });
    };
    const count = (type: string): number => client.frames.filter(frame => frame.type === type).length;
    const startMs = performance.now();
    send(14);
    await eventually(() => count('ack') + count('error') === 14, { describe: 'all 14 are answered' });
    const elapsedSeconds = Math.floor((performance.now() - startMs) / 1000);
    expect(count('ack')).toBeGreaterThanOrEqual(10);
    expect(count('ack')).toBeLessThanOrEqual(10 + elapsedSeconds);
    const refused = client.frames.filter(({ type }) => type === 'error').at(-1)?.payload;
    expect(refused).toMatchObject({ code: 'RATE_LIMITED', retry_after_ms: expect.any(Number) });
    const waitMs = Number(refused?.retry_after_ms);
    expect(waitMs).toBeGreaterThan(0);
    expect(waitMs).toBeLessThanOrEqual(1000);
    await new Promise(resolve => setTimeout(resolve, waitMs)); // What the edge asks for, no more and no less.
    send(1);
    await eventually(() => count('ack') + count('error') === 15);
    expect(client.frames.filter(({ type }) => type === 'ack' || type === 'error').at(-1)?.type).toBe('ack');
  });

  test('a page that is quicker says so kindly, and every vote arrives', async () => {
    const session = await makeSession(NAMES.slice(0, 2), ['A', 'B', 'C', 'D', 'E', 'F']);
    const grace = await attend(session, 1);
    const ada = await openPage(session, 0, 0);
    await untilHere(ada, 2);
    // In one go within the page: a busy machine would else be slow enough to stay below the limit.
    await Promise.all([
      says(ada, 'You are quick!'),
      ada.evaluate(() => {
        for (let pair = 0; pair < 12; pair++) {
          document.querySelector<HTMLElement>('#first')?.click();
          document.dispatchEvent(new KeyboardEvent('keydown', { key: 'n', bubbles: true }));
        }
        document.querySelectorAll<HTMLElement>('#dots button')[11]?.click();
      }),
    ]);
    for (let pair = 0; pair < 12; pair++) await grace.nextFrame('vote_received', { withinMs: 20_000 });
    await says(ada, 'You have voted. Waiting for Grace.');
    expect(await ada.locator('.toast.bad').count()).toBe(0);
  });
});

test('a connection that is silent or broken leaves, with a reason, and may come back', async () => {
  const session = await makeSession(NAMES.slice(0, 2));
  const ada = await attend(session, 0);
  const graceId = attendeeAt(session, 1).id;
  const port = Number(new URL(example.edges[1]?.httpUrl ?? '').port);
  const proxy = await startTcpProxy({ to: port });
  const token = await tokenOf(session, attendeeAt(session, 1));
  const grace = await connect(`ws://127.0.0.1:${proxy.port}${pathOf(session, graceId)}`, { token, name: 'Grace' });
  await tell(grace, 'join_session', {});
  await ada.nextFrame({ type: 'attendee_joined', payload: { attendee_id: graceId } });
  proxy.behave({ blackHole: true });
  const { payload } = await ada.nextFrame('attendee_left', { withinMs: 25_000 });
  expect(payload).toEqual({ attendee_id: graceId, reason: 'dropped' });
  // Back with another connection, the attendee joins anew.
  const again = await attend(session, 1);
  await ada.nextFrame({ type: 'attendee_joined', payload: { attendee_id: graceId } });
  await again.terminate();
  expect((await ada.nextFrame('attendee_left')).payload).toEqual({ attendee_id: graceId, reason: 'dropped' });
});

test('closing a session disconnects everyone in it, on both edges, and nobody else', async () => {
  const [session, other] = [await makeSession(), await makeSession()];
  const [ada, grace] = [await attend(session, 0), await open(session, 1)];
  const page = await openPage(session, 2, 1);
  const stranger = await attend(other, 0);
  const close = `/api/projects/${session.project}/sessions/${session.session}/close`;

  expect(await ask(close, {}, session.key)).toEqual({ session_id: session.session, status: 'closed' });
  for (const client of [ada, grace]) {
    const { payload } = await client.nextFrame('system_notice');
    expect(payload).toEqual({ code: 'session_closed', message: 'The session was closed.' });
    expect(await client.closed).toEqual({ code: 4200, reason: 'The session was closed.' });
  }
  await page.locator('#ended', { hasText: 'The session was closed.' }).waitFor();
  await cast(stranger, 'c1', TIE);
  await stranger.nextFrame('vote_received');

  const { id, key } = attendeeAt(session, 0);
  const tokenPath = `/api/projects/${session.project}/sessions/${session.session}/attendees/${id}/token`;
  expect(await example.ask('POST', tokenPath, { key })).toMatchObject({ status: 409 });
  const token = example.token({ user: id, rooms: ['pairwise:*'] });
  const address = `${example.edges[0]?.httpUrl.replace('http', 'ws')}${pathOf(session, id)}`;
  expect((await connectRefused(address, { token })).status).toBe(401);
  expect(await ask(close, {}, session.key)).toMatchObject({ status: 'closed' });
});

test('who is in two sessions of a project stays in the one that is not closed', async () => {
  const session = await makeSession();
  const wanted = { name: 'S2', features: FEATURES.map(name => ({ name })) };
  const path = `/api/projects/${session.project}/sessions`;
  const { session_id } = await ask<{ session_id: string }>(path, wanted, session.key);
  const second = { ...session, session: session_id, room: `pairwise:${session.project}.${session_id}` };
  const [here, linus] = [await attend(session, 0), await attend(second, 2)];
  const there = await attend(second, 0);
  await linus.nextFrame({ type: 'user_joined', sender: { id: attendeeAt(session, 0).id } }); // Presence knows.
  await ask(`${path}/${session.session}/close`, {}, session.key);
  await here.nextFrame({ type: 'room_closed', payload: { room_id: session.room } });
  await cast(there, 'c1', TIE);
  await linus.nextFrame('vote_received');
});

describe('killed, or there twice', () => {
  const features = ['A', 'B', 'C', 'D', 'E', 'F'];

  /** Each votes in `count` comparisons; all the same. */
  async function voteAll(clients: readonly RawClient[], from: number, count: number): Promise<void> {
    for (let index = from; index < from + count; index++) {
      for (const client of clients) await cast(client, `c${index + 1}`, TIE);
    }
  }

  /** Votes that were told, as attendee and comparison; in the order of the history, which has no hole. */
  function votesTold(client: RawClient): string[] {
    const told = toldToAll(client);
    const offsets = told.map(({ offset }) => offset ?? 0);
    expect(offsets).toEqual(offsets.map((_, index) => (offsets[0] ?? 0) + index));
    const votes = told.filter(({ type }) => type === 'vote_received');
    return votes.map(({ payload }) => `${payload?.attendee_id} ${payload?.comparison_id}`);
  }

  test('no vote is lost or counted twice when the service is killed in the middle of votes', async () => {
    const session = await makeSession(NAMES, features);
    const clients = await attendAll(session);
    const [ada] = clients as [RawClient];
    const votes = voteAll(clients, 0, 7);
    await ada.nextFrame({ type: 'vote_received', payload: { votes_received: 2 } });
    await example.service.kill();
    await votes; // Acknowledged by the edge: they are in the stream, whoever reads it, and when.
    await example.service.start();
    await ada.nextFrame({ type: 'session_progress', payload: { completed_comparisons: 5 } }, { withinMs: 20_000 });
    await example.service.kill();
    await example.service.start();
    const end = { type: 'session_progress', payload: { completed_comparisons: 7 } };
    for (const client of clients) {
      await client.nextFrame(end, { withinMs: 20_000 });
      const told = votesTold(client);
      expect(told).toHaveLength(21);
      expect(new Set(told).size).toBe(21);
      const reached = toldToAll(client).filter(({ type }) => type === 'consensus_reached');
      expect(reached.map(({ payload }) => payload?.comparison_id)).toEqual(['c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7']);
    }
  });

  test('events that are given out a second time, all of them, change and double nothing', async () => {
    const redis = example.redis.connection();
    const stream = `${example.redis.prefix}:events:{pairwise}`;
    await redis.xgroup('CREATE', stream, 'keeper', '$'); // What it has not read is not trimmed.
    const session = await makeSession(NAMES, features);
    const clients = await attendAll(session);
    const [ada, grace] = clients as [RawClient, RawClient];
    await voteAll(clients, 0, 2);
    await cast(grace, 'c1', FOR_FIRST);
    await ada.nextFrame('consensus_lost');
    await example.service.kill();
    const [oldest] = await redis.xrange(stream, '-', '+', 'COUNT', 1);
    if (oldest === undefined) throw new Error('The stream is empty.');
    const beforeIt = oldest[0].replace(/^\d+/, ms => String(Number(ms) - 1));
    await redis.xgroup('SETID', stream, 'pairwise', beforeIt);
    await example.service.start();
    await cast(ada, 'c3', TIE);
    for (const client of clients) {
      await client.nextFrame({ type: 'vote_received', payload: { comparison_id: 'c3' } });
      expect(votesTold(client)).toHaveLength(8);
      const types = toldToAll(client).map(({ type }) => type);
      expect(types.filter(type => type === 'consensus_reached')).toHaveLength(2);
      expect(types.filter(type => type === 'consensus_lost')).toHaveLength(1);
    }
    expect(await redis.xlen(`${stream}:dead:pairwise`)).toBe(0);
    await redis.xgroup('DESTROY', stream, 'keeper');
  });

  test('two instances handle each vote once; the one that stands by takes over from one that was killed', async () => {
    const another = await example.service.startAnother();
    const session = await makeSession(NAMES, features);
    const clients = await attendAll(session);
    const [ada] = clients as [RawClient];
    await voteAll(clients, 0, 2);
    await ada.nextFrame({ type: 'session_progress', payload: { completed_comparisons: 2 } });
    await example.service.kill();
    await voteAll(clients, 2, 3);
    for (const client of clients) {
      await client.nextFrame({ type: 'session_progress', payload: { completed_comparisons: 5 } }, { withinMs: 20_000 });
      const told = votesTold(client);
      expect(told).toHaveLength(15);
      expect(new Set(told).size).toBe(15);
    }
    await example.service.start();
    await another.process.kill();
    await voteAll(clients, 5, 1);
    await ada.nextFrame({ type: 'session_progress', payload: { completed_comparisons: 6 } }, { withinMs: 20_000 });
  });

  test('who left while no service heard of it, for longer than the news are kept, is found out', async () => {
    const session = await makeSession(NAMES);
    const [ada, grace, linus] = (await attendAll(session)) as [RawClient, RawClient, RawClient];
    await cast(grace, 'c1', TIE);
    await ada.nextFrame('vote_received');
    await example.service.kill();
    await linus.terminate();
    await ada.nextFrame('user_left');
    const redis = example.redis.connection();
    const streams = await redis.keys(`${example.redis.prefix}:presence:*:lifecycle`);
    expect(streams).not.toEqual([]);
    await redis.del(...streams);
    await example.service.start();
    await cast(ada, 'c1', TIE);
    const { payload } = await ada.nextFrame('attendee_left');
    expect(payload).toEqual({ attendee_id: attendeeAt(session, 2).id, reason: 'dropped' });
    await ada.nextFrame('consensus_reached');
  });

  test('an entry that is handled again tells the same, and an old one nothing', () => {
    const features = [
      { name: 'A', description: '' },
      { name: 'B', description: '' },
    ];
    let session = newDocument({ project_id: 'p', session_id: 's', name: 'S', features });
    session = once(session, 'client', '1-0', before => join(before, 'ada', 'Ada', 1));
    session = once(session, 'client', '2-0', before => join(before, 'grace', 'Grace', 2));
    session = once(session, 'client', '3-0', before => vote(before, 'ada', 'c1', TIE, 3));
    session = once(session, 'client', '4-0', before => vote(before, 'grace', 'c1', TIE, 4));
    const told = toTell(session, 'client', '4-0');
    expect(told.map(({ type }) => type)).toContain('consensus_reached');
    // The service died before it told: by now the consensus is old news, and is told all the same.
    const again = once(session, 'client', '4-0', before => vote(before, 'grace', 'c1', TIE, 4));
    expect(toTell(again, 'client', '4-0')).toEqual(told);
    // An instance that froze with an earlier vote of Ada in its hands.
    session = once(again, 'client', '5-0', before => vote(before, 'ada', 'c1', FOR_FIRST, 5));
    const late = once(session, 'client', '3-0', before => vote(before, 'ada', 'c1', TIE, 3));
    expect(late).toBe(session);
    expect(toTell(late, 'client', '3-0')).toEqual([]);
  });
});
