/** Client events arrive at an HTTP receiver: signed, in order per room, and never lost, however the receiver behaves. */
import { countOf, eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { SECRET } from './receiver.js';
import { deadLetters, eventResult, firstTimes, numberOf, startWebhookStory, upTo, workerOf } from './story.js';

describe('a request', () => {
  test('is signed and has the event as services get it', async () => {
    const { receiver, play, untilAccepted } = await startWebhookStory();
    await play('game:1', 1);
    await untilAccepted('game:1', 1);
    const [request] = receiver.requests;
    expect(receiver.problems).toEqual([]);
    expect(request).toMatchObject({ webhook: 'referee', id: expect.stringMatching(/^msg_[\w-]{32}$/) });
    expect(request?.events).toEqual([
      {
        id: expect.stringMatching(/^game\/\d+-\d+$/),
        kind: 'client_event',
        type: 'move',
        namespace: 'game',
        room: 'game:1',
        payload: { n: 1 },
        user: { id: 'player-of-game:1', name: 'player-of-game:1' },
        session: { id: expect.any(String), node: 'edge-1' },
        rooms: ['game:1'],
        frame_id: expect.any(String),
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      },
    ]);
  });

  test('is signed with each secret, so that a receiver accepts it during a rotation', async () => {
    const next = `whsec_${Buffer.from('the next key of the webhook stories').toString('base64')}`;
    const { receiver, play, untilAccepted } = await startWebhookStory({ webhook: { secrets: [SECRET, next] } });
    receiver.secrets = [next];
    await play('game:1', 1);
    await untilAccepted('game:1', 1);
    receiver.secrets = [SECRET];
    await play('game:1', 1, 2);
    await untilAccepted('game:1', 2);
    expect(receiver.problems).toEqual([]);
  });

  test('has only events of the configured namespaces and types; the others are done', async () => {
    const { receiver, play, workers, waiting } = await startWebhookStory({
      webhook: { namespaces: ['game'], events: ['chat.*'] },
    });
    await play('other:1', 1);
    await play('game:1', 2);
    const count = eventResult(workers[0], 'filtered');
    await eventually(async () => (await count()) === 2);
    expect(receiver.requests).toEqual([]);
    await eventually(async () => (await waiting('game')) === 0);
    expect(await waiting('other'), 'a namespace that the webhook does not read has no group').toBeUndefined();
  });

  test('carries the events that wait: of one room, and of several', async () => {
    const { receiver, play, untilAccepted, numbers } = await startWebhookStory({
      env: { HUBBUB_WEBHOOK_CONCURRENCY: '1', HUBBUB_WEBHOOK_MAX_BATCH_EVENTS: '10' },
    });
    receiver.behave = () => ({ delayMs: 300 });
    const rooms = ['game:a', 'game:b', 'game:c', 'game:d'];
    await Promise.all(rooms.map(room => play(room, 12)));
    for (const room of rooms) {
      await untilAccepted(room, 12);
      expect(numbers(room)).toEqual(upTo(12));
    }
    expect(receiver.requests.length).toBeLessThan(24);
    expect(Math.max(...receiver.requests.map(({ events }) => events.length))).toBeLessThanOrEqual(10);
    const mixed = receiver.requests.filter(({ events }) => new Set(events.map(({ room }) => room)).size > 1);
    expect(mixed.length).toBeGreaterThan(0);
  });
});

describe('nothing is lost and the order of a room is kept when the receiver', () => {
  test.for([
    ['is slow', () => ({ delayMs: 100 })],
    ['answers 500 to every second request', (nth: number) => (nth % 2 === 0 ? { status: 500 } : {})],
    ['closes connections', (nth: number) => (nth % 2 === 0 ? { hangsUp: true } : {})],
    ['answers 200 with garbage', () => ({ status: 200, body: '\u0000{"ok":false'.repeat(20_000) })],
    ['redirects', (nth: number) => (nth % 2 === 0 ? { status: 302, headers: { location: '/elsewhere' } } : {})],
    ['answers later than the timeout', (nth: number) => (nth === 0 ? { delayMs: 1500 } : {})],
  ] as const)('%s', async ([, behave]) => {
    const story = await startWebhookStory({ env: { HUBBUB_WEBHOOK_TIMEOUT_MS: '1000' } });
    let requests = 0;
    story.receiver.behave = () => behave(requests++);
    await Promise.all([story.play('game:a', 15), story.play('game:b', 15)]);
    for (const room of ['game:a', 'game:b']) {
      await story.untilAccepted(room, 15);
      expect(firstTimes(story.numbers(room)), room).toEqual(upTo(15));
    }
    await eventually(async () => (await story.waiting('game')) === 0, { describe: 'all events are acknowledged' });
    expect(story.receiver.problems).toEqual([]);
  });

  test('fails after it has done the work, and accepts later: the id is the same', async () => {
    const { receiver, play, untilAccepted, numbers } = await startWebhookStory();
    const seen = new Set<string>();
    receiver.behave = ({ events }) => {
      const isNew = events.some(({ id }) => !seen.has(id));
      for (const { id } of events) seen.add(id);
      return isNew ? { status: 503 } : {};
    };
    await play('game:a', 5);
    await untilAccepted('game:a', 5);
    expect(numbers('game:a')).toEqual(upTo(5));
    expect(receiver.requests.length).toBeGreaterThanOrEqual(6);
    expect([...seen].sort()).toEqual(receiver.accepted.map(({ id }) => id).sort());
  });

  test('dies and returns', async () => {
    const { receiver, play, untilAccepted, numbers, workers } = await startWebhookStory();
    await play('game:a', 3);
    await untilAccepted('game:a', 3);
    await receiver.stop();
    await play('game:a', 10, 4);
    const unreachable = () =>
      countOf(workerOf(workers), 'hubbub_webhooks_requests_total{webhook="referee",result="unreachable"}');
    await eventually(async () => (await unreachable()) > 0);
    await receiver.start();
    await untilAccepted('game:a', 13);
    expect(numbers('game:a')).toEqual(upTo(13));
  });
});

describe('an event that the receiver rejects', () => {
  test.for([400, 413, 422])(
    'with %i is a dead letter after one attempt of its own, and the others arrive',
    async status => {
      const { receiver, play, untilAccepted, numbers, cluster, workers } = await startWebhookStory();
      receiver.behave = ({ events }) => (events.some(event => numberOf(event) === 3) ? { status } : {});
      await play('game:a', 5);
      await untilAccepted('game:a', 4);
      expect(numbers('game:a')).toEqual([1, 2, 4, 5]);
      const alone = receiver.requests.filter(
        ({ events }) => events.length === 1 && events.some(e => numberOf(e) === 3),
      );
      expect(alone.length).toBe(1);
      const letters = await deadLetters(cluster.redis);
      expect(letters).toMatchObject([{ reason: `the receiver answered ${status}`, event: { payload: { n: 3 } } }]);
      await workerOf(workers).output.waitForLog({
        event: 'webhook_dead_letter',
        webhook: 'referee',
        namespace: 'game',
      });
    },
  );

  test('with 404 or 401 is retried to the last attempt, because a deployment can cause these', async () => {
    const { receiver, play, cluster, untilAccepted } = await startWebhookStory({
      env: { HUBBUB_WEBHOOK_MAX_ATTEMPTS: '3' },
    });
    receiver.behave = ({ events }) => (events.some(event => numberOf(event) === 1) ? { status: 404 } : {});
    await play('game:a', 1);
    await eventually(async () => (await deadLetters(cluster.redis)).length === 1);
    expect(receiver.requests.length).toBe(3);
    await play('game:a', 1, 2);
    await untilAccepted('game:a', 1);
  });

  test('delays only its own room', async () => {
    const { receiver, play, untilAccepted, numbers } = await startWebhookStory({
      env: { HUBBUB_WEBHOOK_RETRY_DELAY_MS: '60000' },
    });
    receiver.behave = ({ events }) => (events.some(({ room }) => room === 'game:bad') ? { status: 500 } : {});
    await play('game:bad', 2);
    await eventually(() => receiver.requests.length === 1);
    await play('game:good', 5);
    await untilAccepted('game:good', 5);
    expect(numbers('game:bad')).toEqual([]);
  });
});

describe('Retry-After', () => {
  test('delays the next attempt', async () => {
    const { receiver, play, untilAccepted } = await startWebhookStory();
    receiver.behave = () => (receiver.requests.length === 0 ? { status: 429, headers: { 'retry-after': '1' } } : {});
    await play('game:a', 1);
    await untilAccepted('game:a', 1);
    const [first, second] = receiver.requests;
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(990);
  });

  test('delays it by HUBBUB_WEBHOOK_MAX_RETRY_AFTER_MS at most', async () => {
    const { receiver, play, untilAccepted } = await startWebhookStory({
      env: { HUBBUB_WEBHOOK_MAX_RETRY_AFTER_MS: '100' },
    });
    receiver.behave = () =>
      receiver.requests.length === 0 ? { status: 503, headers: { 'retry-after': '86400' } } : {};
    await play('game:a', 1);
    await untilAccepted('game:a', 1);
  });
});

describe('two workers', () => {
  test('kill -9 of the one that reads: the other continues, in order, with the same ids', async () => {
    const story = await startWebhookStory({ workers: 2 });
    const [first, second] = story.workers;
    const leads = (worker: typeof first) => async () =>
      (await countOf(workerOf([worker]), 'hubbub_webhooks_leading{webhook="referee"}')) === 2;
    await eventually(leads(first), { describe: 'the first worker reads both namespaces' });
    story.receiver.behave = () => ({ delayMs: 30 });
    const playing = Promise.all(['game:a', 'game:b', 'game:c'].map(room => story.play(room, 60)));
    await story.untilAccepted('game:a', 10);
    await first?.kill();
    await playing;
    for (const room of ['game:a', 'game:b', 'game:c']) {
      await story.untilAccepted(room, 60);
      expect(firstTimes(story.numbers(room)), room).toEqual(upTo(60));
    }
    await eventually(leads(second), { describe: 'the second worker reads both namespaces' });
    const events = story.receiver.accepted;
    const byNumber = new Map(events.map(event => [`${event.room} ${numberOf(event)}`, event.id]));
    expect(new Set(events.map(({ id }) => id)).size, 'one id for each event').toBe(byNumber.size);
    await eventually(async () => (await story.waiting('game')) === 0);
  });

  test('SIGTERM of the one that reads: the other takes over without waiting for the lease', async () => {
    const story = await startWebhookStory({ workers: 2 });
    await story.play('game:a', 3);
    await story.untilAccepted('game:a', 3);
    await story.workers[0]?.terminate();
    await story.play('game:a', 3, 4);
    await story.untilAccepted('game:a', 6);
    expect(story.numbers('game:a')).toEqual(upTo(6));
  });
});
