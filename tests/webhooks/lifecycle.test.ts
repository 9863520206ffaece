/** Lifecycle events arrive at an HTTP receiver: in pairs, in order, and not for what is undone within a moment. */
import { eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { connect, type RawClient } from '../support/raw-client.js';
import { eventResult, startWebhookStory, type WebhookStory, type WebhookStoryOptions } from './story.js';

const ROOMS = ['room_occupied', 'room_vacated'];

async function lifecycleStory(options: Omit<WebhookStoryOptions, 'presence'> & { readonly lifecycle?: string[] } = {}) {
  const { lifecycle = ROOMS, ...rest } = options;
  const story = await startWebhookStory({
    ...rest,
    presence: 1,
    webhook: { events: undefined, lifecycle, ...options.webhook },
    env: { HUBBUB_WEBHOOK_DEBOUNCE_MS: '0', ...options.env },
  });
  // A group begins with the events that follow its first lease.
  await eventually(async () => (await reads(story)) === 1, { describe: 'a worker reads the lifecycle streams' });
  return story;
}

async function reads({ workers }: WebhookStory): Promise<number> {
  const pages = await Promise.all(workers.map(worker => fetch(`${worker.adminUrl}/metrics`).then(page => page.text())));
  return pages.reduce((sum, page) => sum + Number(/^hubbub_webhooks_leading\{.*\} (\d+)/m.exec(page)?.[1]), 0);
}

const enter = ({ cluster }: WebhookStory, user: string): Promise<RawClient> =>
  connect(cluster.edge(0).wsUrl, { name: user, token: cluster.token({ user }) });

/** Types of the accepted events of a room, in order, each event once. */
function typesOf({ receiver }: WebhookStory, room: string): readonly string[] {
  const byId = new Map(receiver.accepted.map(event => [event.id, event]));
  return [...byId.values()].filter(event => event.room === room).map(({ type }) => type);
}

const untilTypes = (story: WebhookStory, room: string, types: readonly string[]) =>
  eventually(() => typesOf(story, room).join() === types.join(), {
    describe: `${room} has ${types.join()}`,
    withinMs: 20_000,
  });

describe('a room', () => {
  test('is occupied and vacated, in this order, as often as that happens', async () => {
    const story = await lifecycleStory();
    const ann = await enter(story, 'ann');
    for (let n = 1; n <= 3; n++) {
      await ann.join('game:1');
      await untilTypes(story, 'game:1', [
        ...Array(n - 1)
          .fill(ROOMS)
          .flat(),
        'room_occupied',
      ]);
      await ann.ask({ type: 'leave_room', payload: { room_id: 'game:1' } });
      await untilTypes(story, 'game:1', Array(n).fill(ROOMS).flat());
    }
    expect(story.receiver.accepted[0]).toEqual({
      id: expect.stringMatching(/^lifecycle\/p\d+\/\d+-\d+$/),
      kind: 'lifecycle',
      type: 'room_occupied',
      room: 'game:1',
      timestamp: expect.any(String),
    });
  });

  test('that is occupied and vacated within the debounce sends nothing; one that stays occupied does', async () => {
    const story = await lifecycleStory({ env: { HUBBUB_WEBHOOK_DEBOUNCE_MS: '3000' } });
    const ann = await enter(story, 'ann');
    await ann.join('game:short');
    await ann.ask({ type: 'leave_room', payload: { room_id: 'game:short' } });
    await ann.join('game:long');
    await untilTypes(story, 'game:long', ['room_occupied']);
    const debounced = eventResult(story.workers[0], 'debounced');
    await eventually(async () => (await debounced()) === 2);
    expect(typesOf(story, 'game:short')).toEqual([]);
  });

  test('of another namespace sends nothing', async () => {
    const story = await lifecycleStory({ webhook: { namespaces: ['game'] } });
    const ann = await enter(story, 'ann');
    await ann.join('other:1');
    await ann.join('game:1');
    await untilTypes(story, 'game:1', ['room_occupied']);
    const filtered = eventResult(story.workers[0], 'filtered');
    await eventually(async () => (await filtered()) > 0);
    expect(typesOf(story, 'other:1')).toEqual([]);
  });
});

test('users and members have their events, too', async () => {
  const story = await lifecycleStory({ lifecycle: ['*'] });
  const ann = await enter(story, 'ann');
  await ann.join('game:1');
  await untilTypes(story, 'game:1', ['room_occupied', 'member_joined']);
  await eventually(() => story.receiver.accepted.some(({ type, user }) => type === 'user_online' && user === 'ann'));
  const joined = story.receiver.accepted.find(({ type }) => type === 'member_joined');
  expect(joined).toMatchObject({ kind: 'lifecycle', room: 'game:1', user: 'ann', name: 'ann' });
});

test('events that happen while no worker runs arrive after its restart', async () => {
  const story = await lifecycleStory();
  const ann = await enter(story, 'ann');
  await ann.join('game:1');
  await untilTypes(story, 'game:1', ['room_occupied']);
  await story.workers[0]?.terminate();
  await ann.ask({ type: 'leave_room', payload: { room_id: 'game:1' } });
  await ann.join('game:2');
  await story.startWorker();
  await untilTypes(story, 'game:1', ROOMS);
  await untilTypes(story, 'game:2', ['room_occupied']);
});

test('a receiver that dies and a worker that is killed lose no event', async () => {
  const story = await lifecycleStory({ workers: 2 });
  const people = await Promise.all(['ann', 'ben', 'cem'].map(user => enter(story, user)));
  const rooms = people.map((_, n) => `game:${n}`);
  await Promise.all(people.map((person, n) => person.join(`game:${n}`)));
  for (const room of rooms) await untilTypes(story, room, ['room_occupied']);
  await story.receiver.stop();
  for (const [n, person] of people.entries()) {
    await person.ask({ type: 'leave_room', payload: { room_id: `game:${n}` } });
  }
  await story.workers[0]?.kill();
  for (const [n, person] of people.entries()) await person.join(`game:${n}`);
  await story.receiver.start();
  for (const room of rooms) await untilTypes(story, room, ['room_occupied', 'room_vacated', 'room_occupied']);
});
