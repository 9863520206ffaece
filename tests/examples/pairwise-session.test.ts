/** The pairwise session as people use it: attendees on two edges compare features until they agree, and the session is closed. */
import type { Frame } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { connectRefused, type RawClient } from '../support/raw-client.js';
import {
  type Attendee,
  ask,
  attend,
  attendAll,
  attendeeAt,
  cast,
  FEATURES,
  FOR_FIRST,
  FOR_SECOND,
  makeSession,
  NAMES,
  open,
  openPage,
  pathOf,
  roomMessages,
  says,
  startPairwise,
  TIE,
  tell,
  tokenOf,
  untilHere,
} from './pairwise-people.js';
import { EXAMPLE_TIMEOUT_MS, type RunningExample } from './support.js';

let example: RunningExample;

beforeAll(async () => {
  example = await startPairwise();
}, EXAMPLE_TIMEOUT_MS);

function typesAndPayloads(frames: readonly Frame[]): [string, unknown][] {
  return frames.map(({ type, payload }) => [type, payload]);
}

test('three people make a session and compare until they agree, by mouse and keyboard, on two edges', async () => {
  const start = await example.openPage('/');
  await start.getByLabel('What is it about?').fill('Roadmap <b>2027</b>');
  await start.getByLabel('What do you compare?').fill('Works offline\n Shared calendars \n\n');
  await start.getByLabel('Who votes?').fill('Ada Lovelace\nGrace Hopper\nLinus');
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
  // In the order in which they joined.
  await says(ada, /Waiting for (Grace Hopper and Linus|Linus and Grace Hopper)\./);
  // The voters are visible; the votes are not.
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
  // Immediately: a toast goes by itself.
  await Promise.all(
    pages.map(async page => {
      await page.locator('.toast', { hasText: 'No longer agreed' }).waitFor();
      await says(page, 'You do not agree yet.');
      await page.locator('#progress-text', { hasText: '0 of 1 settled' }).waitFor();
    }),
  );
});

test('a vote is stored and announced, the last one makes a consensus, a changed one unmakes it', async () => {
  const session = await makeSession(example, NAMES.slice(0, 2));
  const [ada, grace] = (await attendAll(session)) as [RawClient, RawClient];
  const [{ id: adaId }, { id: graceId }] = session.attendees as [Attendee, Attendee];
  const features = [
    { feature_id: 'f1', name: 'Works offline', description: '' },
    { feature_id: 'f2', name: 'Shared calendars', description: '' },
  ];
  const open = { comparison_id: 'c1', features, consensus: null };
  const both = (choiceOfGrace: object) => ({
    ...open,
    voted: [adaId, graceId],
    votes: [
      { attendee_id: adaId, ...FOR_FIRST },
      { attendee_id: graceId, ...choiceOfGrace },
    ],
  });
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
    await eventually(() => roomMessages(client).filter(({ type }) => type === 'session_progress').length === 3, {
      describe: JSON.stringify(last),
    });
    expect(typesAndPayloads(roomMessages(client)).filter(([type]) => type !== 'attendee_joined')).toEqual([
      ['vote_received', { comparison_id: 'c1', attendee_id: adaId, votes_received: 1, votes_expected: 2 }],
      ['comparison_update', { ...open, voted: [adaId], votes: null }],
      ['session_progress', progress(0, 0)],
      ['vote_received', { comparison_id: 'c1', attendee_id: graceId, votes_received: 2, votes_expected: 2 }],
      ['comparison_update', { ...both(FOR_FIRST), consensus: FOR_FIRST }],
      ['consensus_reached', { comparison_id: 'c1', ...FOR_FIRST }],
      ['session_progress', progress(1, 33)],
      ['vote_received', { comparison_id: 'c1', attendee_id: graceId, votes_received: 2, votes_expected: 2 }],
      ['comparison_update', both(TIE)],
      ['consensus_lost', { comparison_id: 'c1' }],
      ['session_progress', progress(0, 0)],
    ]);
  }
});

test('all comparisons agreed, ties too: the session is complete; who joins then sees all of it', async () => {
  const session = await makeSession(example, NAMES);
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

test('the votes of an absent attendee wait for the return: the others may agree without', async () => {
  const session = await makeSession(example);
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

describe('before the upgrade', () => {
  test('attendee, project and session must belong together, and the session be active: else 401', async () => {
    const [one, other] = [await makeSession(example), await makeSession(example)];
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
      const { status, body } = await connectRefused(example.cluster.edge(0).socketUrl(path), options);
      expect([status, JSON.parse(body).code], what).toEqual([401, 'UNAUTHORIZED']);
    }

    const client = await attend(one, 0);
    const answer = await client.ask({ type: 'join_room', payload: { room_id: other.room } });
    expect(answer).toMatchObject({ type: 'error', payload: { code: 'FORBIDDEN' } });
  });

  test('only the link of an attendee gives a token, only the key of a project manages it', async () => {
    const { project, session, attendees } = await makeSession(example);
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

test('closing a session disconnects only its attendees, on both edges', async () => {
  const [session, other] = [await makeSession(example), await makeSession(example)];
  const [ada, grace] = [await attend(session, 0), await open(session, 1)];
  const page = await openPage(session, 2, 1);
  const stranger = await attend(other, 0);
  const close = `/api/projects/${session.project}/sessions/${session.session}/close`;

  expect(await ask(example, close, {}, session.key)).toEqual({ session_id: session.session, status: 'closed' });
  for (const client of [ada, grace]) {
    const { payload } = await client.nextFrame('system_notice');
    expect(payload).toEqual({ code: 'session_closed', message: 'The session was closed.' });
    expect(await client.closed).toEqual({ code: 4200, reason: 'The session was closed.' });
  }
  await page.locator('#ended', { hasText: 'The session was closed.' }).waitFor();
  expect(await page.locator('#ranking').count()).toBe(0); // Nothing was agreed.
  await cast(stranger, 'c1', TIE);
  await stranger.nextFrame('vote_received');

  const { id, key } = attendeeAt(session, 0);
  const tokenPath = `/api/projects/${session.project}/sessions/${session.session}/attendees/${id}/token`;
  expect(await example.ask('POST', tokenPath, { key })).toMatchObject({ status: 409 });
  const token = example.token({ user: id, rooms: ['pairwise:*'] });
  const address = example.cluster.edge(0).socketUrl(pathOf(session, id));
  expect((await connectRefused(address, { token })).status).toBe(401);
  expect(await ask(example, close, {}, session.key)).toMatchObject({ status: 'closed' });
});

test('the agreed ranking stays after the session is closed, for the key of each attendee', async () => {
  const session = await makeSession(example);
  const clients = [await attend(session, 0), await attend(session, 1)];
  for (const client of clients) await cast(client, 'c1', FOR_FIRST);
  await clients[0]?.nextFrame('consensus_reached');
  const base = `/api/projects/${session.project}/sessions/${session.session}`;
  await ask(example, `${base}/close`, {}, session.key);
  const { id, key } = attendeeAt(session, 2);
  const state = await ask<{ title: string; status: string; messages: Frame[] }>(
    example,
    `${base}/attendees/${id}/state`,
    { key },
  );
  expect(state).toMatchObject({ title: 'S', status: 'closed' });
  const agreed = { comparison_id: 'c1', consensus: FOR_FIRST, own_vote: null };
  expect(state.messages.find(({ type }) => type === 'comparison_update')?.payload).toMatchObject(agreed);
  expect(state.messages.at(-1)).toMatchObject({ type: 'session_progress', payload: { completed_comparisons: 1 } });
  const late = await openPage(session, 2, 1, '#ended');
  await late.getByText('This session is closed.').waitFor();
  await late.getByText('You agreed on 1 of 3 pairs.').waitFor();
  expect(await late.locator('#ranking li').allTextContents()).toEqual([
    '1.Works offline1',
    '2.Shared calendars0',
    '3.Dark mode0',
  ]);
  const wrongKey = { key: attendeeAt(session, 0).key };
  expect(await example.ask('POST', `${base}/attendees/${id}/state`, wrongKey)).toMatchObject({ status: 403 });
});

test('an attendee in two sessions of a project stays in the one that is not closed', async () => {
  const session = await makeSession(example);
  const wanted = { name: 'S2', features: FEATURES.map(name => ({ name })) };
  const path = `/api/projects/${session.project}/sessions`;
  const { session_id } = await ask<{ session_id: string }>(example, path, wanted, session.key);
  const second = { ...session, session: session_id, room: `pairwise:${session.project}.${session_id}` };
  const [here, linus] = [await attend(session, 0), await attend(second, 2)];
  const there = await attend(second, 0);
  // The roster of a room and the rooms of a user are in two partitions, which do not change together.
  const rooms = () => example.roomsOf(attendeeAt(session, 0).id);
  await eventually(async () => (await rooms()).length === 2, { describe: 'presence knows both rooms of Ada' });
  await ask(example, `${path}/${session.session}/close`, {}, session.key);
  await here.nextFrame({ type: 'room_closed', payload: { room_id: session.room } });
  await cast(there, 'c1', TIE);
  await linus.nextFrame('vote_received');
});
