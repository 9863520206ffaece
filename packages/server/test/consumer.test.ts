/** A service that consumes events, on a real Redis: order, retries, dead letters, and failures. */

import { eventually } from '@hubbub/tools/kit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startRedis } from '../../../tests/support/redis.js';
import type { EventEntry, EventsOptions } from '../src/index.js';
import { connectService, consumerStory, gate, textOf } from './service-stories.js';

const numbered = (room: string, count: number) => Array.from({ length: count }, (_, n) => `${room} ${n}`);
const ofRoom = (heard: readonly string[], room: string) => heard.filter(text => text.startsWith(`${room} `));

function warnings(): string[] {
  const heard: string[] = [];
  const listen = (warning: Error) => heard.push(`${warning.name}: ${warning.message}`);
  process.on('warning', listen);
  onTestFinished(() => void process.off('warning', listen));
  return heard;
}

describe('events', () => {
  test('of a room are handled in order, those of different rooms concurrently', async () => {
    const { tellAll, consume, heard } = await consumerStory();
    const blocked = gate();
    await tellAll('game:a', 5);
    await tellAll('game:b', 5);
    let most = 0;
    const running = new Map<string, number>();
    consume(async ({ room = '' }) => {
      running.set(room, (running.get(room) ?? 0) + 1);
      most = Math.max(most, ...running.values());
      if (room === 'game:a') await blocked.opened;
      running.set(room, (running.get(room) ?? 0) - 1);
    });
    await eventually(() => ofRoom(heard, 'game:b').length === 5, { describe: 'b is not held up by a' });
    expect(ofRoom(heard, 'game:a')).toEqual([]);
    blocked.open();
    await eventually(() => heard.length === 10);
    expect(ofRoom(heard, 'game:a')).toEqual(numbered('game:a', 5));
    expect(ofRoom(heard, 'game:b')).toEqual(numbered('game:b', 5));
    expect(most, 'events of one room at a time').toBe(1);
  });

  test('that fail are retried with growing delays, before the next of their room, while other rooms continue', async () => {
    const { tell, consume, heard, waiting } = await consumerStory();
    await tell('game:a', 'game:a 0');
    await tell('game:a', 'game:a 1');
    await tell('game:b', 'game:b 0');
    const tries: Array<{ attempt: number; atMs: number; others: number }> = [];
    const failures: unknown[] = [];
    consume(
      event => {
        if (textOf(event) !== 'game:a 0') return;
        tries.push({ attempt: event.attempt, atMs: performance.now(), others: heard.length });
        if (event.attempt < 4) throw new Error(`not yet ${event.attempt}`);
      },
      { retryDelayMs: 100, onError: (error, entry) => failures.push([String(error), entry?.attempt]) },
    );
    await eventually(() => heard.length === 3);
    expect(tries.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
    expect(heard).toEqual(['game:b 0', 'game:a 0', 'game:a 1']);
    expect(failures).toEqual([
      ['Error: not yet 1', 1],
      ['Error: not yet 2', 2],
      ['Error: not yet 3', 3],
    ]);
    const [first, , , last] = tries;
    // At least half of 100 + 200 + 400.
    expect((last?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(340);
    await eventually(async () => (await waiting()) === 0);
  });

  test('that fail to the end are dead letters, which can be read, and their room continues', async () => {
    const { hubbub, tell, consume, heard } = await consumerStory();
    await tell('game:a', 'bad');
    await tell('game:a', 'good');
    const given: Array<[EventEntry, unknown]> = [];
    consume(
      event => {
        if (textOf(event) === 'bad') throw new Error('no such move');
      },
      { maxAttempts: 3, retryDelayMs: 1, onDeadLetter: (entry, error) => given.push([entry, error]) },
    );
    await eventually(() => heard.length === 1);
    expect(heard).toEqual(['good']);
    const [letter, ...more] = await hubbub.deadLetters('game', 'referee');
    expect(more).toEqual([]);
    expect(letter).toMatchObject({
      ...{ attempt: 3, reason: 'no such move' },
      event: { room: 'game:a', payload: { text: 'bad' }, user: { id: 'u1' } },
    });
    expect(given).toMatchObject([[{ entryId: letter?.entryId, attempt: 3, event: { payload: { text: 'bad' } } }, {}]]);
    expect(await hubbub.deadLetters('game', 'others')).toEqual([]);
  });

  test('that are given up without a listener cause a warning of the process', async () => {
    const heard = warnings();
    const { tell, consume } = await consumerStory();
    await tell('game:a', 'bad');
    consume(
      () => {
        throw new Error('no such move');
      },
      { maxAttempts: 2, retryDelayMs: 1 },
    );
    await eventually(() => heard.some(text => text.includes('dead letters') && text.includes('no such move')));
  });

  test('of a room with very many, one of which fails, do not delay other rooms', async () => {
    const { tell, tellAll, consume, heard } = await consumerStory();
    await tellAll('game:a', 40);
    await tell('game:b', 'game:b 0');
    const open = gate();
    consume(
      async event => {
        if (textOf(event) === 'game:a 0') await open.opened;
      },
      { concurrency: 3 },
    );
    await eventually(() => heard.includes('game:b 0'));
    expect(ofRoom(heard, 'game:a')).toEqual([]);
    open.open();
    await eventually(() => heard.length === 41);
    expect(ofRoom(heard, 'game:a')).toEqual(numbered('game:a', 40));
  });

  test('are handled concurrently up to the limit in the options', async () => {
    const { tell, consume, heard } = await consumerStory();
    for (let n = 0; n < 12; n++) await tell(`game:${n}`, `${n}`);
    let [now, most] = [0, 0];
    const full = gate();
    consume(
      async () => {
        most = Math.max(most, ++now);
        if (now === 3) full.open();
        await full.opened;
        await new Promise(resolve => setImmediate(resolve));
        now--;
      },
      { concurrency: 3 },
    );
    await eventually(() => heard.length === 12);
    expect(most).toBe(3);
  });

  test('with a handler that never ends are retried after its time; the signal aborts it, and their room continues', async () => {
    const { tell, consume, heard } = await consumerStory();
    await tell('game:a', 'stuck');
    await tell('game:a', 'next');
    const aborted: boolean[] = [];
    const failures: string[] = [];
    consume(
      async ({ payload, attempt, signal }) => {
        if (payload.text !== 'stuck' || attempt > 1) return;
        signal.addEventListener('abort', () => aborted.push(true));
        await new Promise(() => {});
      },
      { handlerTimeoutMs: 100, retryDelayMs: 1, onError: error => failures.push(String(error)) },
    );
    await eventually(() => heard.length === 2);
    expect(heard).toEqual(['stuck', 'next']);
    expect(aborted).toEqual([true]);
    expect(failures).toEqual([expect.stringContaining('handlerTimeoutMs')]);
  });

  test('a hundred that fail simultaneously, and listeners that fail too, stop nothing and leave no listener behind', async () => {
    const heard = warnings();
    const { tell, consume, heard: handled } = await consumerStory();
    for (let n = 0; n < 100; n++) await tell(`game:${n}`, `${n}`);
    consume(
      ({ attempt }) => {
        if (attempt < 3) throw new Error('not yet');
      },
      {
        ...{ retryDelayMs: 20, concurrency: 100 },
        onError: () => {
          throw new Error('the listener fails');
        },
      },
    );
    await eventually(() => handled.length === 100);
    expect(heard.filter(text => !text.includes('the listener fails'))).toEqual([]);
    expect(heard.length).toBeGreaterThan(0);
  });

  test('malformed ones of another program are dead letters, and the others are handled', async () => {
    const { redis, hubbub, tell, consume, heard } = await consumerStory();
    await redis.cli('XADD', `${redis.prefix}:events:{game}`, '*', 'what', 'is this');
    await tell('game:a', 'good');
    consume(() => {});
    await eventually(() => heard.length === 1);
    const [letter] = await hubbub.deadLetters('game', 'referee');
    expect(letter).toMatchObject({ reason: 'malformed' });
    expect(letter).not.toHaveProperty('event');
  });

  test('reach every group', async () => {
    const { hubbub, tell, consume, heard } = await consumerStory();
    await tell('game:a', 'once');
    consume(() => {});
    const audited: string[] = [];
    hubbub.onEvents('game', { group: 'audit' }, event => audited.push(textOf(event)));
    await eventually(() => heard.length === 1 && audited.length === 1);
  });
});

describe('invalid options throw where they are passed', () => {
  const handler = () => {};
  test.each<[string, unknown]>([
    ['maxAttempts', 1],
    ['maxAttempts', 101],
    ['maxAttempts', 2.5],
    ['concurrency', 0],
    ['concurrency', 1001],
    ['concurrency', '8'],
    ['leaseMs', 999],
    ['leaseMs', 60_001],
    ['leaseMs', Number.NaN],
    ['retryDelayMs', 0],
    ['retryDelayMs', Number.POSITIVE_INFINITY],
    ['handlerTimeoutMs', 99],
    ['onError', 'log'],
    ['onDeadLetter', {}],
    ['group', ''],
    ['group', 'a:b'],
    ['group', '{referee}'],
    ['group', 'x'.repeat(65)],
    ['group', undefined],
  ])('%s: %j', async (option, value) => {
    const hubbub = connectService(await startRedis());
    const options = { group: 'referee', [option]: value } as EventsOptions;
    const wrong = { name: 'HubbubError', code: 'INVALID_FORMAT', message: expect.stringContaining(`${option}:`) };
    expect(() => hubbub.onEvents('game', options, handler)).toThrow(expect.objectContaining(wrong));
    expect(() => hubbub.onLifecycle(options as never, handler)).toThrow(expect.objectContaining(wrong));
  });

  test('an invalid namespace, handler or limit, or no options', async () => {
    const hubbub = connectService(await startRedis());
    const wrong = expect.objectContaining({ name: 'HubbubError', code: 'INVALID_FORMAT' });
    for (const namespace of ['', 'game:1', 'a b', '{game}', '*', undefined, 7]) {
      expect(() => hubbub.onEvents(namespace as string, { group: 'g' }, handler)).toThrow(wrong);
      await expect(hubbub.deadLetters(namespace as string, 'g')).rejects.toEqual(wrong);
    }
    expect(() => hubbub.onEvents('game', { group: 'g' }, undefined as never)).toThrow(wrong);
    expect(() => hubbub.onLifecycle({ group: 'g' }, 'handler' as never)).toThrow(wrong);
    expect(() => hubbub.onEvents('game', undefined as never, handler)).toThrow(wrong);
    for (const limit of [0, 10_001, 1.5]) await expect(hubbub.deadLetters('game', 'g', limit)).rejects.toEqual(wrong);
    await expect(hubbub.deadLetters('game', 'a b')).rejects.toEqual(wrong);
  });
});
