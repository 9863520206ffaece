/** The voting room as people use it: three pages on two edges, and each of its rules. */

import { eventually } from '@hubbub/tools/kit';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { EXAMPLE_TIMEOUT_MS, type RunningExample, startExample } from './support.js';
import { acquire, from, listen, participant, roomPath, row, sayReady } from './voting-people.js';

const unknown = { status: 404, body: { error: 'unknown room' } };
const incorrect = { status: 400, body: { error: 'incorrect request' } };

describe('the voting room', () => {
  let example: RunningExample;

  beforeAll(async () => {
    example = await startExample('voting-room');
  }, EXAMPLE_TIMEOUT_MS);

  test('three people gather on two edges, get ready, and all their pages move to the vote', async () => {
    const ada = await example.openPage('/', { edge: 0 });
    await ada.getByRole('button', { name: 'Take a free room' }).click();
    await ada.getByText('1 here · 0 ready').waitFor();
    expect(await ada.getByRole('button', { name: 'Start the vote' }).isDisabled()).toBe(true);
    const link = new URL(await ada.getByLabel('Link of this room').inputValue());
    expect(link.origin).toBe(example.url);

    const bob = await example.openPage(link.pathname + link.search, { edge: 1 });
    const cleo = await example.openPage(link.pathname + link.search, { edge: 1 });
    for (const page of [ada, bob, cleo]) await page.getByText('3 here · 0 ready').waitFor();

    const pages = [ada, bob, cleo];
    // Immediately: the notice that somebody is ready disappears by itself.
    await Promise.all([
      ada.getByText('<b>Bob</b> is ready').waitFor(),
      sayReady(bob, '<b>Bob</b>'),
      ...pages.map(page => row(page, '<b>Bob</b>').getByText('<b>Bob</b>').waitFor()),
    ]);
    await sayReady(ada, 'Ada');
    for (const page of pages) await page.getByText('3 here · 2 ready').waitFor();
    await cleo.getByLabel('What do you vote on?').fill('Ship on <b>Friday</b>?');
    await cleo.getByRole('button', { name: 'Set the question' }).click();
    await ada.getByText('Ship on <b>Friday</b>?').waitFor();

    await cleo.getByRole('button', { name: 'Start the vote' }).click();
    for (const page of pages) {
      // Not by waiting for a navigation, which may have begun already.
      await eventually(() => page.url().includes('/?vote='), { describe: 'the page has moved to the vote' });
      await page.getByRole('heading', { name: 'Voting has begun' }).waitFor();
      await page.getByText('2 voters · 3 here now').waitFor();
      await page.getByText('Ship on <b>Friday</b>?').waitFor();
    }
    await cleo.getByText('You watch this vote').waitFor();
    expect(await cleo.getByRole('button', { name: 'Yes' }).count()).toBe(0);
    await bob.getByRole('button', { name: 'Yes' }).click();
    await cleo.locator('[data-voter="<b>Bob</b>"]', { hasText: 'voted' }).waitFor();
    await ada.getByRole('button', { name: 'Abstain' }).press('Enter');
    const late = await example.openPage(link.pathname + link.search, { edge: 0 });
    for (const page of [...pages, late]) {
      await page.getByRole('heading', { name: 'Yes, 1 to 0' }).waitFor();
      await page.locator('[data-result="abstain 1"]').waitFor();
    }
  });

  test('pages of two participants of one name are two voters, also after a reload', async () => {
    const room = await acquire(example);
    const pages = [await example.openPage(`/?room=${room}`), await example.openPage(`/?room=${room}`, { edge: 1 })];
    for (const page of pages) await sayReady(page, 'Ada');
    for (const page of pages) await eventually(async () => (await row(page, 'Ada').count()) === 2);
    const [one, other] = pages as [Page, Page];
    await one.getByRole('button', { name: 'Start the vote' }).click();
    await one.getByRole('button', { name: 'Yes' }).click();
    await one.getByText('Your vote is in.').waitFor();
    await one.reload();
    await eventually(async () => (await one.locator('[aria-pressed="true"]').textContent()) === 'Yes');
    await other.getByRole('button', { name: 'No', exact: true }).click();
    for (const page of pages) await page.getByRole('heading', { name: 'A tie, 1 to 1' }).waitFor();
  });

  test('listeners on both edges get every frame, and a client that only listens may not speak', async () => {
    const room = await acquire(example);
    const near = await listen(example, room, { name: 'near', edge: 0 });
    await near.nextFrame({ type: 'participant_joined', room });
    await near.nextFrame({ type: 'room_status', payload: { room_id: room, status: 'waiting', participants: [] } });
    const far = await listen(example, room, { name: 'far', edge: 1 });
    for (const listener of [near, far]) await listener.nextFrame({ type: 'participant_joined', room });

    const ready = await example.ask('PATCH', roomPath(room, 'participate'), { text: '  Ada ' });
    expect(ready).toMatchObject({ status: 200, body: { participants: ['Ada'] } });
    for (const listener of [near, far]) {
      await listener.nextFrame({ type: 'participant_ready', payload: { message: 'Ada' } });
      await listener.nextFrame({ type: 'room_status', payload: { status: 'waiting', participants: ['Ada'] } });
    }
    const redirect_url = `/?vote=${room}`;
    const started = await example.ask('PATCH', roomPath(room, 'start'));
    expect(started).toMatchObject({ status: 200, body: { status: 'started', redirect_url } });
    for (const listener of [near, far]) {
      const frame = await listener.nextFrame('voting_started');
      expect(frame.payload).toEqual({ message: expect.any(String), redirect_url });
      await listener.nextFrame({ type: 'room_status', payload: { status: 'started', participants: ['Ada'] } });
    }
    const refused = await near.ask({ type: 'send_message', room, payload: { content: 'me too' } });
    expect(refused).toMatchObject({ type: 'error', payload: { code: 'FORBIDDEN' } });
    await far.noFrame('new_message');
  });

  test('every request gives another room', async () => {
    const rooms = await Promise.all(Array.from({ length: 10 }, () => acquire(example)));
    expect(new Set(rooms).size).toBe(10);
    for (const room of rooms) {
      const { status, body } = await example.ask('GET', roomPath(room, 'acquired'));
      expect({ status, body }).toMatchObject({ status: 200, body: { room_id: room, acquired: true } });
    }
  });

  test.for([
    ['GET', 'acquired', undefined],
    ['PATCH', 'participate', { text: 'Ada' }],
    ['PATCH', 'topic', { text: 'Why?' }],
    ['PATCH', 'start', undefined],
    ['PATCH', 'vote', { choice: 'yes' }],
    ['PATCH', 'end', undefined],
    ['PATCH', 'release', undefined],
  ] as const)('%s …/%s of an unknown room: 404', async ([method, what, body]) => {
    expect(await example.ask(method, roomPath('0123456789', what), body)).toEqual(unknown);
    expect(await example.ask(method, roomPath('..%2Frooms%20', what), body)).toEqual(unknown);
  });

  test.for([
    ['no body', undefined],
    ['no text', {}],
    ['text that is none', { text: 7 }],
    ['empty text', { text: '  ' }],
    ['text that is too long', { text: 'x'.repeat(81) }],
    ['more than text', { text: 'Ada', admin: true }],
    ['a list', ['Ada']],
    ['no JSON', '{"text":'],
  ] as const)('participate with a wrong body (%s): 400, and the room gets no notice', async ([, body]) => {
    const room = await acquire(example);
    const listener = await listen(example, room);
    expect(await example.ask('PATCH', roomPath(room, 'participate'), body)).toEqual(incorrect);
    await example.ask('PATCH', roomPath(room, 'participate'), { text: 'barrier' });
    await listener.nextFrame({ type: 'participant_ready', payload: { message: 'barrier' } });
    await listener.noFrame('participant_ready');
    expect((await example.ask('GET', roomPath(room, 'acquired'))).body).toMatchObject({ participants: ['barrier'] });
  });

  test('start with a body: 400, and it has not started', async () => {
    const room = await acquire(example);
    expect(await example.ask('PATCH', roomPath(room, 'start'), { force: true })).toEqual(incorrect);
    expect((await example.ask('GET', roomPath(room, 'acquired'))).body).toMatchObject({ status: 'waiting' });
  });

  test('a participant who repeats the request, because an answer was lost, is listed and announced once', async () => {
    const room = await acquire(example);
    const listener = await listen(example, room);
    for (const text of ['Ada', 'Ada', 'Bob']) {
      expect((await example.ask('PATCH', roomPath(room, 'participate'), { text })).status).toBe(200);
    }
    expect((await example.ask('GET', roomPath(room, 'acquired'))).body).toMatchObject({ participants: ['Ada', 'Bob'] });
    await listener.nextFrame({ type: 'participant_ready', payload: { message: 'Ada' } });
    await listener.noFrame({ type: 'participant_ready', payload: { message: 'Ada' } }, () =>
      listener.nextFrame({ type: 'participant_ready', payload: { message: 'Bob' } }),
    );
    await sayReady(await example.openPage(`/?room=${room}`), 'Ada');
  });

  test('of ten simultaneous starts at two instances, one succeeds and nine get 409; voting_started comes once', async () => {
    const room = await acquire(example);
    const listener = await listen(example, room);
    const another = await example.service.startAnother();
    const starts = Array.from({ length: 10 }, async (_, index) => {
      const base = index % 2 === 0 ? example.url : another.url;
      return (await fetch(`${base}${roomPath(room, 'start')}`, { method: 'PATCH' })).status;
    });
    expect((await Promise.all(starts)).toSorted()).toEqual([200, ...Array(9).fill(409)]);
    expect(await example.ask('PATCH', roomPath(room, 'start'))).toEqual({
      status: 409,
      body: { error: 'voting has started' },
    });
    expect((await example.ask('PATCH', roomPath(room, 'participate'), { text: 'Late' })).status).toBe(409);
    await listener.nextFrame('voting_started');
    await listener.noFrame('voting_started', () =>
      listener.nextFrame({ type: 'room_status', payload: { status: 'started' } }),
    );
    await another.process.stop();
  });

  test('participants vote; the last missing vote ends the voting, and every listener receives the result', async () => {
    const room = await acquire(example);
    const listener = await listen(example, room, { edge: 1 });
    const [ada, bob] = [participant(example, room), participant(example, room)];
    expect(await ada('topic', { text: ' Ship on Friday? ' })).toMatchObject({ body: { topic: 'Ship on Friday?' } });
    await ada('participate', { text: 'Ada' });
    await bob('participate', { text: 'Bob' });
    expect(await ada('vote', { choice: 'yes' })).toEqual({ status: 409, body: { error: 'voting has not started' } });
    await ada('start', {});
    const stranger = await participant(example, room)('vote', { choice: 'yes' });
    expect(stranger).toEqual({ status: 403, body: { error: 'only participants vote' } });
    expect(await ada('vote', { choice: 'maybe' })).toEqual(incorrect);

    expect(await ada('vote', { choice: 'yes' })).toMatchObject({ body: { voted: [0], you: 0, your_choice: 'yes' } });
    const first = await listener.nextFrame({ type: 'room_status', payload: { voted: [0] } });
    expect(Object.keys(first.payload ?? {})).not.toContain('result');
    expect(JSON.stringify(first.payload)).not.toContain('choice');
    await ada('vote', { choice: 'no' });
    expect(await bob('vote', { choice: 'yes' })).toMatchObject({ status: 200, body: { status: 'ended' } });
    const result = { yes: 1, no: 1, abstain: 0 };
    await listener.nextFrame({ type: 'room_status', payload: { status: 'ended', topic: 'Ship on Friday?', result } });

    expect(await ada('vote', { choice: 'yes' })).toEqual({ status: 409, body: { error: 'voting has ended' } });
    expect(await ada('vote', { choice: 'no' })).toMatchObject({ status: 200 }); // A repeated request.
    expect((await ada('start', {})).status).toBe(409);
    expect((await example.ask('GET', roomPath(room, 'acquired'))).body).toMatchObject({ status: 'ended', result });
  });

  test('a vote that is ended counts the votes that were cast', async () => {
    const room = await acquire(example);
    const [ada, bob] = [participant(example, room), participant(example, room)];
    await ada('participate', { text: 'Ada' });
    await bob('participate', { text: 'Bob' });
    expect(await ada('end', {})).toEqual({ status: 409, body: { error: 'voting has not started' } });
    await ada('start', {});
    await ada('vote', { choice: 'abstain' });
    for (const person of [bob, ada]) {
      const { status, body } = await person('end', {});
      expect({ status, body }).toMatchObject({ status: 200, body: { result: { yes: 0, no: 0, abstain: 1 } } });
    }
    expect((await bob('vote', { choice: 'yes' })).status).toBe(409);
  });

  test('two participants of one name stay two; a repeated request of one of them counts once', async () => {
    const room = await acquire(example);
    const listener = await listen(example, room);
    const [one, other] = [participant(example, room), participant(example, room)];
    for (const person of [one, one, other]) await person('participate', { text: 'Ada' });
    expect(await other('participate', { text: 'Ada' })).toMatchObject({
      body: { participants: ['Ada', 'Ada'], you: 1 },
    });
    await one('start', {});
    await other('vote', { choice: 'no' });
    expect(await one('vote', { choice: 'yes' })).toMatchObject({ body: { result: { yes: 1, no: 1, abstain: 0 } } });
    await listener.nextFrame({ type: 'room_status', payload: { status: 'ended' } });
    expect(listener.frames.filter(({ type }) => type === 'participant_ready')).toHaveLength(2);
  });

  test('a released room is unknown, and everybody in it is notified', async () => {
    const room = await acquire(example);
    const page = await example.openPage(`/?room=${room}`, { edge: 1 });
    await page.getByText('1 here · 0 ready').waitFor();
    const listener = await listen(example, room, { edge: 0 });
    await page.getByText('2 here · 0 ready').waitFor();
    await page.getByRole('button', { name: 'Close this room' }).click();
    await page.getByRole('button', { name: 'Really close it' }).click();
    await page.getByRole('heading', { name: 'This room is gone' }).waitFor();
    await listener.nextFrame({ type: 'room_closed', payload: { room_id: room, reason: 'the room was released' } });
    expect(await example.ask('GET', roomPath(room, 'acquired'))).toEqual(unknown);
  });

  test('the link of an unknown room shows that, by the page and by the hub', async () => {
    const page = await example.openPage('/?room=nowhere');
    await page.getByRole('heading', { name: 'This room is gone' }).waitFor();
    const listener = await listen(example, 'nowhere');
    await listener.nextFrame({ type: 'room_closed', payload: { room_id: 'nowhere' } });
  });

  test('in development pages of every origin may listen, and ask', async () => {
    const room = await acquire(example);
    await listen(example, room, from('https://elsewhere.example.org'));
    // Another name for this machine is another site to a browser.
    const elsewhere = await example.openPage(example.url.replace('127.0.0.1', 'localhost'));
    const participants = await elsewhere.evaluate(
      async url => {
        const body = JSON.stringify({ text: 'Ada' });
        const headers = { 'content-type': 'application/json' };
        const answer = await (await fetch(url, { method: 'PATCH', body, headers })).json();
        return answer.participants;
      },
      `${example.url}${roomPath(room, 'participate')}`,
    );
    expect(participants).toEqual(['Ada']);
  });
});
