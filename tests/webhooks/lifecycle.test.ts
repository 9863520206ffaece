/** Lifecycle events arrive at an HTTP receiver: in pairs, in order, and not for what is undone within a moment. */
import { countOf, eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { startApi } from '../api/api-process.js';
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
  // A group begins with the events that follow its first lease, and sends a notice.
  await untilGaps(story, ['began']);
  return story;
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

/** Reasons of the accepted gaps, each gap once. */
function gapsOf({ receiver }: WebhookStory): readonly unknown[] {
  const gaps = receiver.accepted.filter(({ type }) => type === 'lifecycle_gap');
  return [...new Map(gaps.map(gap => [gap.id, gap.reason])).values()];
}

const untilGaps = (story: WebhookStory, reasons: readonly string[]) =>
  eventually(() => gapsOf(story).join() === reasons.join(), {
    describe: `gaps: ${reasons.join()}`,
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
    expect(story.receiver.accepted[1]).toEqual({
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

  test('that are delivered again count once each, by their outcome', async () => {
    const story = await lifecycleStory({ env: { HUBBUB_WEBHOOK_DEBOUNCE_MS: '3000' } });
    let failures = 2;
    story.receiver.behave = () => (failures-- > 0 ? { status: 500 } : {});
    const ann = await enter(story, 'ann');
    await ann.join('other:1');
    await ann.ask({ type: 'leave_room', payload: { room_id: 'other:1' } });
    await ann.join('other:1');
    // After a failure the events are sent one by one, those that were undone too.
    await untilTypes(story, 'other:1', ['room_occupied', 'room_vacated', 'room_occupied']);
    const counts = ['delivered', 'filtered', 'debounced'].map(result => eventResult(story.workers[0], result));
    const [gap, userOnline] = [1, 1];
    await eventually(async () => (await counts[0]?.()) === gap + 3);
    expect(await Promise.all(counts.map(count => count()))).toEqual([gap + 3, userOnline, 0]);
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

describe('events that are missing', () => {
  const UNREACHABLE = 'hubbub_webhooks_requests_total{webhook="referee",result="unreachable"}';
  const MISSED = 'hubbub_webhooks_limited_total{webhook="referee",limit="kept_events"}';

  /** The streams lose what no worker has read, as after very many events. */
  async function awayWhileStreamsLoseEvents(story: WebhookStory): Promise<void> {
    const { redis } = story.cluster;
    const ann = await enter(story, 'ann');
    await ann.join('game:1');
    await untilTypes(story, 'game:1', ['room_occupied']);
    await story.workers[0]?.terminate();
    await ann.ask({ type: 'leave_room', payload: { room_id: 'game:1' } });
    const streams = () => redis.cli('KEYS', `${redis.prefix}:presence:*:lifecycle`);
    const lengths = async () => {
      const keys = (await streams()).split('\n');
      return (await Promise.all(keys.map(async key => Number(await redis.cli('XLEN', key))))).reduce(
        (a, b) => a + b,
        0,
      );
    };
    const before = await lengths();
    await ann.join('game:2');
    await eventually(async () => (await lengths()) > before);
    for (const key of (await streams()).split('\n')) await redis.cli('DEL', key);
  }

  test('are reported to the receiver when a worker is back, once', async () => {
    const story = await lifecycleStory();
    await awayWhileStreamsLoseEvents(story);
    const worker = await story.startWorker();
    await untilGaps(story, ['began', 'missed']);
    expect(story.receiver.accepted.at(-1)).toEqual({
      id: expect.stringMatching(/^lifecycle\/gap\/\d+-0$/),
      kind: 'lifecycle',
      type: 'lifecycle_gap',
      reason: 'missed',
      timestamp: expect.any(String),
    });
    await worker.terminate();
    await story.startWorker();
    const bob = await enter(story, 'bob');
    await bob.join('game:3');
    await untilTypes(story, 'game:3', ['room_occupied']);
    expect(gapsOf(story)).toEqual(['began', 'missed']);
  });

  test('are reported although the worker is killed before the receiver accepts', async () => {
    const story = await lifecycleStory();
    await awayWhileStreamsLoseEvents(story);
    await story.receiver.stop();
    const worker = await story.startWorker();
    await eventually(async () => (await countOf(worker, UNREACHABLE)) >= 3, { describe: 'three attempts' });
    expect(await countOf(worker, MISSED), 'one gap, whatever the attempts').toBe(1);
    await worker.kill();
    await story.receiver.start();
    await story.startWorker();
    await untilGaps(story, ['began', 'missed']);
  });
});

describe('an event that the receiver never accepts', () => {
  test('is a dead letter that the command line lists and sends again', async () => {
    const story = await lifecycleStory({ env: { HUBBUB_WEBHOOK_MAX_ATTEMPTS: '2' }, webhook: { events: ['move'] } });
    let status = 500;
    story.receiver.behave = ({ events }) => (events.some(({ room }) => room === 'game:bad') ? { status } : {});
    const ann = await enter(story, 'ann');
    for (const room of ['game:bad', 'game:good']) await ann.join(room);
    await ann.ask({ type: 'move', room: 'game:bad', payload: { n: 1 } });
    await untilTypes(story, 'game:good', ['room_occupied']);
    const deadLettered = eventResult(story.workers[0], 'dead_lettered');
    await eventually(async () => (await deadLettered()) === 2);

    const listed = await story.command('dead-letters', 'referee');
    expect(listed.stdout).toMatch(/^letter +event +about +attempts +given up +reason\n/);
    expect(listed.stdout).toMatch(/^\d+-0 +room_occupied +game:bad +2 .*the receiver answered 500$/m);
    expect(listed.stdout).toMatch(/^game\/\d+-0 +move +game:bad +2 /m);
    const { dead_letters } = JSON.parse((await story.command('dead-letters', 'referee', '--json')).stdout);
    expect(dead_letters).toHaveLength(2);

    status = 204;
    const [letter] = /^\d+-0/m.exec(listed.stdout) ?? [''];
    expect(await story.command('redeliver', 'referee', letter)).toMatchObject({
      code: 0,
      stdout: 'events sent again: 1\n',
    });
    await eventually(() => typesOf(story, 'game:bad').includes('room_occupied'));
    expect(await story.command('redeliver', 'referee', '--all')).toMatchObject({
      code: 0,
      stdout: 'events sent again: 1\n',
    });
    await eventually(() => typesOf(story, 'game:bad').includes('move'));
    const again = await story.command('redeliver', 'referee', letter);
    expect(again).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`no such dead letter, or it holds no event: ${letter}`),
    });
    expect((await story.command('dead-letters', 'referee')).stdout.trim().split('\n')).toHaveLength(1);
  });

  test('is a dead letter that the HTTP API lists and replays, too', async () => {
    const story = await lifecycleStory();
    const api = await startApi(story.cluster);
    let status = 422;
    story.receiver.behave = () => ({ status });
    await (await enter(story, 'ann')).join('game:1');
    const list = async () => (await api.get('/lifecycle/webhook.referee/dead_letters')).body.dead_letters as object[];
    const [letter] = await eventually(async () => (await list()).length === 1 && (await list()));
    const letter_id = expect.stringMatching(/^\d+-0$/);
    const at = expect.stringMatching(/^\d{4}-.*Z$/);
    const reason = 'the receiver answered 422';
    expect(letter).toEqual({
      letter_id,
      type: 'room_occupied',
      room: 'game:1',
      attempts: expect.any(Number),
      reason,
      at,
    });
    status = 204;
    const replay = `/lifecycle/webhook.referee/dead_letters/${Object(letter).letter_id}/replay`;
    expect((await api.post(replay)).status).toBe(200);
    await untilTypes(story, 'game:1', ['room_occupied']);
    expect((await api.post(replay)).status).toBe(404);
    const targets = [`dead_letter:webhook.referee/${Object(letter).letter_id}`];
    await api.process.output.waitForLog({ operation: 'replayLifecycleDeadLetter', targets, result: 'done' });
  });

  test('wrong use of the commands names the right one', async () => {
    const story = await startWebhookStory({ workers: 0 });
    expect(await story.command('redeliver', 'nobody', '--all')).toMatchObject({
      ...{ code: 2, stderr: expect.stringContaining('unknown webhook nobody; known: referee') },
    });
    expect(await story.command('redeliver', 'referee')).toMatchObject({
      ...{ code: 2, stderr: expect.stringContaining('expected letters, or --all') },
    });
  });
});
