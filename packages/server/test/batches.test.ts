/** Batches of a consumer: consecutive entries of a lane in one attempt, and what a failure of it means for each of them. */
import { MemoryCluster } from '@hubbub/broker';
import { eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { cleanup } from '../../../tests/support/cleanup.js';
import type { VerdictOf } from '../src/consumer/attempts.js';
import { type BatchRules, consume } from '../src/consumer/consume.js';
import type { EventEntry } from '../src/index.js';

const RULES = { maxEntries: 3, maxBytes: 1000, bytesOf: () => 1, lingerMs: 20 };

interface Story {
  readonly rules?: Partial<BatchRules<EventEntry>>;
  readonly verdictOf?: VerdictOf;
  readonly fails?: (texts: readonly string[]) => boolean;
}

/** A consumer of the events `1` … `count` of one room. Returns the batches that it attempted. */
async function attemptsOf(count: number, { rules, verdictOf = () => ({}), fails = () => false }: Story) {
  const { events } = new MemoryCluster().open();
  for (let n = 1; n <= count; n++) {
    const user = { id: 'u1', name: 'One' };
    const event = { type: 'told', room: 'game:a', id: `${n}`, payload: {}, user, atMs: 1 };
    const session = { id: 's.1', node: 'edge-1' };
    await events.append({
      ...{ namespace: 'game', event: { ...event, session, rooms: [] } },
      ...{ maxLength: 100, ttlMs: 60_000 },
    });
  }
  const attempts: string[][] = [];
  const source = events.group('game', 'referee');
  const dead: string[] = [];
  const consumer = consume<EventEntry>(
    {
      source,
      laneOf: ({ event }) => event.room ?? '',
      handle: entries => {
        const ids = entries.map(({ event }) => event.id);
        attempts.push(ids);
        if (fails(ids)) throw new Error(`refused ${ids}`);
      },
      verdictOf,
      batches: { ...RULES, ...rules },
    },
    { retryDelayMs: 1, maxAttempts: 3, onDeadLetter: ({ event }) => dead.push(event.id) },
  );
  cleanup(() => consumer.close());
  const waiting = async () => (await events.backlog('game')).groups[0]?.waiting;
  await eventually(async () => (await waiting()) === 0, { describe: 'every event is done' });
  return { attempts, dead, letters: await source.deadLetters(10) };
}

describe('a batch', () => {
  test('has consecutive events of a room, up to the limit', async () => {
    const { attempts } = await attemptsOf(7, {});
    expect(attempts).toEqual([['1', '2', '3'], ['4', '5', '6'], ['7']]);
  });

  test('ends before the event that would exceed its bytes; one larger event is a batch', async () => {
    const bytesOf = ({ event }: EventEntry) => (event.id === '3' ? 2000 : 400);
    const { attempts } = await attemptsOf(5, { rules: { maxEntries: 10, bytesOf } });
    expect(attempts).toEqual([['1', '2'], ['3'], ['4', '5']]);
  });

  test('that fails is retried event by event, and only the cause is given up', async () => {
    const { attempts, dead, letters } = await attemptsOf(3, { fails: ids => ids.includes('2') });
    expect(attempts).toEqual([['1', '2', '3'], ['1'], ['2'], ['2'], ['3']]);
    expect(dead).toEqual(['2']);
    expect(letters).toMatchObject([{ event: { id: '2' }, attempt: 3, reason: 'refused 2' }]);
  });
});

describe('a verdict', () => {
  test('that is final ends the attempts of an event, but not of the others in its batch', async () => {
    const { attempts, dead } = await attemptsOf(3, {
      fails: ids => ids.includes('2'),
      verdictOf: () => ({ isFinal: true }),
    });
    expect(attempts).toEqual([['1', '2', '3'], ['1'], ['2'], ['3']]);
    expect(dead).toEqual(['2']);
  });

  test('delays the next attempt', async () => {
    const startedAtMs = performance.now();
    const { attempts } = await attemptsOf(1, {
      fails: () => performance.now() < startedAtMs + 200,
      verdictOf: () => ({ retryAfterMs: 300 }),
    });
    expect(attempts).toEqual([['1'], ['1']]);
    expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(300);
  });
});
