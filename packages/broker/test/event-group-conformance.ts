/** The guarantees of every group of consumers of client events. Run against memory and against a real Redis. */

import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import type { EventEntry, EventGroup, EventLog } from '../src/event-log.js';
import { AT_ONCE, idOf, LEASE_MS, newEventLog, textsOf } from './event-stories.js';

/** Long enough for the work under it on a busy machine. */
const SHORT_LEASE_MS = 500;
const FORBIDDEN = { code: 'FORBIDDEN' };
const WHAT_NEEDS_THE_LEASE = ['acknowledge', 'deadLetter', 'retry', 'read'];

/** `open` returns one process's view; all views of a file share the same logs. */
export function eventGroupConformance(open: () => Promise<EventLog>): void {
  const newLog = () => newEventLog(open);

  test('only the consumer that holds the lease of a group reads', async () => {
    const { appendAll, group, holding } = await newLog();
    await appendAll('a');
    await holding('r1');
    const other = await group();
    expect(await other.hold('r2', LEASE_MS)).toBe(false);
    for (const does of WHAT_NEEDS_THE_LEASE) {
      await expect(call(other, does, 'r2', '1-0'), does).rejects.toMatchObject(FORBIDDEN);
    }
    expect(await (await group('audit')).hold('r2', LEASE_MS)).toBe(true);
  });

  test('a replayed dead letter is handled again by its group alone, once', async () => {
    const { appendAll, group, holding } = await newLog();
    await appendAll('a', 'b');
    const referee = await holding('r1');
    const audit = await group('audit');
    expect(await audit.hold('a1', LEASE_MS)).toBe(true);
    const [a, b] = await referee.read('r1', AT_ONCE);
    await audit.acknowledge('a1', (await audit.read('a1', AT_ONCE)).map(idOf));
    await referee.acknowledge('r1', [idOf(b)]);
    await referee.deadLetter('r1', idOf(a), 'no reason');
    const [letter] = await referee.deadLetters(10);
    expect(await referee.replay('1-1')).toBeUndefined();
    const entryId = await referee.replay(letter?.letterId ?? '');
    expect(await referee.replay(letter?.letterId ?? ''), 'the letter is gone').toBeUndefined();
    expect(await referee.deadLetters(10)).toEqual([]);
    const [again, ...none] = await referee.read('r1', AT_ONCE);
    expect(again).toMatchObject({ entryId, attempt: 1, event: { id: 'a' } });
    expect(none).toEqual([]);
    await appendAll('c');
    expect((await audit.read('a1', AT_ONCE)).map(({ event }) => event.id)).toEqual(['c']);
  });

  test('a new lease holder first gets unacknowledged events, in order, with their attempts, then new ones', async () => {
    const { appendAll, group, holding } = await newLog();
    await appendAll('a', 'b', 'c', 'd');
    const first = await group();
    expect(await first.hold('r1', SHORT_LEASE_MS)).toBe(true);
    const [a, b] = await first.read('r1', { limit: 3, waitMs: 0 });
    await first.acknowledge('r1', [idOf(b)]);
    expect(await first.retry('r1', idOf(a))).toBe(2);
    const second = await group();
    await eventually(() => second.hold('r2', SHORT_LEASE_MS), { describe: 'the lease ended' });
    const taken = [...(await second.read('r2', { limit: 1, waitMs: 0 })), ...(await second.read('r2', AT_ONCE))];
    expect(taken.map(({ event, attempt }) => [event.id, attempt])).toEqual([
      ['a', 3],
      ['c', 2],
      ['d', 1],
    ]);
    const third = await group();
    await eventually(() => third.hold('r3', LEASE_MS));
    expect(
      (await third.read('r3', AT_ONCE)).map(({ attempt }) => attempt),
      'an event that no consumer began keeps its attempts',
    ).toEqual([3, 2, 2]);
    await third.release('r3');
    expect(textsOf(await (await holding('r4')).read('r4', AT_ONCE))).toEqual(['a', 'c', 'd']);
  });

  test('a released lease is free immediately', async () => {
    const { group, holding } = await newLog();
    const first = await holding('r1');
    const second = await group();
    expect(await second.hold('r2', LEASE_MS)).toBe(false);
    await second.release('r2');
    expect(await second.hold('r2', LEASE_MS), 'another cannot give it up').toBe(false);
    await first.release('r1');
    expect(await second.hold('r2', LEASE_MS)).toBe(true);
  });

  test('a read that waits ends when its lease is released', async () => {
    const { holding } = await newLog();
    const group = await holding('r1');
    const reading = group.read('r1', { limit: 1, waitMs: 60_000 });
    const ended = expect(reading).rejects.toMatchObject(FORBIDDEN);
    await group.read('r1', AT_ONCE); // A barrier: the other read waits by now.
    await group.release('r1');
    await ended;
  });

  test('a renewed lease is kept beyond its length', async () => {
    const { group, holding } = await newLog();
    const first = await group();
    expect(await first.hold('r1', 1000)).toBe(true);
    const other = await group();
    for (let renewed = 0; renewed < 12; renewed++) {
      expect(await first.hold('r1', 1000)).toBe(true);
      expect(await other.hold('r2', 1000)).toBe(false);
      await new Promise(resolve => setTimeout(resolve, 100)); // The test is about time.
    }
    await first.release('r1');
    await holding('r3');
  });

  test.each(WHAT_NEEDS_THE_LEASE)(
    'a consumer that lost the lease cannot %s; it changes nothing, and can begin again',
    async does => {
      const { appendAll, group } = await newLog();
      await appendAll('a', 'b');
      const first = await group();
      await first.hold('r1', SHORT_LEASE_MS);
      const [a] = await first.read('r1', { limit: 1, waitMs: 0 });
      const second = await group();
      await eventually(() => second.hold('r2', LEASE_MS));
      await expect(call(first, does, 'r1', idOf(a))).rejects.toMatchObject(FORBIDDEN);
      expect(await first.deadLetters(10)).toEqual([]);
      expect(attemptsOf(await second.read('r2', AT_ONCE))).toEqual({ a: 2, b: 1 });
      await second.release('r2');
      expect(await first.hold('r1', LEASE_MS)).toBe(true);
      expect(attemptsOf(await first.read('r1', AT_ONCE))).toEqual({ a: 2, b: 2 });
    },
  );

  test('a consumer learns that its lease has expired, also without a successor', async () => {
    const { appendAll, group, holding } = await newLog();
    await appendAll('a');
    const first = await group();
    await first.hold('r1', SHORT_LEASE_MS);
    await first.read('r1', AT_ONCE);
    const other = await group();
    await eventually(() => other.hold('r2', LEASE_MS));
    await other.release('r2');
    expect(await first.hold('r1', LEASE_MS)).toBe(false);
    expect(await first.hold('r1', LEASE_MS)).toBe(true);
    expect(attemptsOf(await first.read('r1', AT_ONCE))).toEqual({ a: 2 });
    await first.release('r1');
    await holding('r2');
  });

  test('an event that was read is not read again by the same consumer; an acknowledged one, by no consumer', async () => {
    const { appendAll, holding } = await newLog();
    await appendAll('a', 'b', 'c');
    const group = await holding('r1');
    const entries = await group.read('r1', AT_ONCE);
    expect(await group.read('r1', AT_ONCE)).toEqual([]);
    expect(await group.hold('r1', LEASE_MS)).toBe(true);
    expect(await group.read('r1', AT_ONCE), 'nor after a renewal').toEqual([]);
    await group.acknowledge('r1', [idOf(entries[0]), idOf(entries[2])]);
    await group.acknowledge('r1', [idOf(entries[0])]); // A repeated call does no harm.
    await group.acknowledge('r1', []);
    await group.release('r1');
    expect(textsOf(await (await holding('r2')).read('r2', AT_ONCE))).toEqual(['b']);
  });

  test('a dead-lettered event is done, and a dead letter of its group only', async () => {
    const { appendAll, group, holding } = await newLog();
    await appendAll('a', 'b');
    const referee = await holding('r1');
    const [a, b] = await referee.read('r1', AT_ONCE);
    await referee.retry('r1', idOf(a));
    const before = Date.now();
    await referee.deadLetter('r1', idOf(a), 'no such comparison');
    await referee.deadLetter('r1', idOf(b), 'x'.repeat(5000));
    await referee.deadLetter('r1', idOf(b), 'a second time changes nothing');
    const [letter, other, ...none] = await (await group()).deadLetters(10);
    expect(letter).toMatchObject({ ...a, attempt: 2, reason: 'no such comparison' });
    expect(Math.abs((letter?.buriedAtMs ?? 0) - before)).toBeLessThan(5000);
    expect(other).toMatchObject({ ...b, attempt: 1, reason: 'x'.repeat(1000) });
    expect(none).toEqual([]);
    expect(await referee.deadLetters(1)).toEqual([letter]);
    expect(await (await group('audit')).deadLetters(10)).toEqual([]);
    await expect(referee.retry('r1', idOf(a))).rejects.toMatchObject(FORBIDDEN);
    await referee.release('r1');
    expect(await (await holding('r2')).read('r2', AT_ONCE)).toEqual([]);
    expect(textsOf(await (await holding('a1', 'audit')).read('a1', AT_ONCE))).toEqual(['a', 'b']);
  });

  test('reads are bounded, and each is asked for a sensible number', async () => {
    const { holding } = await newLog();
    const group = await holding('r1');
    for (const limit of [0, -1, 1001, Number.NaN]) {
      await expect(group.read('r1', { limit, waitMs: 0 })).rejects.toThrow(RangeError);
    }
  });
}

function call(group: EventGroup, does: string, consumer: string, entryId: string): Promise<unknown> {
  switch (does) {
    case 'acknowledge':
      return group.acknowledge(consumer, [entryId]);
    case 'deadLetter':
      return group.deadLetter(consumer, entryId, 'no');
    case 'retry':
      return group.retry(consumer, entryId);
    default:
      return group.read(consumer, AT_ONCE);
  }
}

function attemptsOf(entries: readonly EventEntry[]): Record<string, number> {
  return Object.fromEntries(entries.map(({ event, attempt }) => [event.id, attempt]));
}
