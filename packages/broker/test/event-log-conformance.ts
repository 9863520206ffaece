/** What every log of client events must do. Run against memory and against a real Redis. */
import { randomUUID } from 'node:crypto';
import type { ClientEvent } from '@hubbub/protocol';
import { expect, test } from 'vitest';
import { eventually } from '../../../tests/support/eventually.js';
import type { EventAppend, EventEntry, EventGroup, EventLog } from '../src/event-log.js';

const AT_ONCE = { limit: 100, waitMs: 0 };
const LEASE_MS = 10_000;
/** Long enough for what is done under it on a busy machine. */
const SHORT_LEASE_MS = 500;

export function eventOf(text: string, more: Partial<ClientEvent> = {}): ClientEvent {
  return {
    type: 'vote_submitted',
    room: 'game:42',
    id: text,
    payload: { text },
    user: { id: 'alice', name: 'Alice' },
    session: { id: 'k3f.1', node: 'edge-1' },
    rooms: ['game:42', 'general'],
    atMs: 1_700_000_000_123,
    ...more,
  };
}

/** `open` gives one process's view; all views of a file see the same logs. */
export function eventLogConformance(open: () => Promise<EventLog>): void {
  async function newLog() {
    const log = await open();
    const namespace = `game-${randomUUID()}`;
    const append = (text: string, more: Partial<EventAppend> = {}) =>
      log.append({ namespace, event: eventOf(text), maxLength: 1000, ttlMs: 60_000, ...more });
    return {
      log,
      namespace,
      append,
      async appendAll(...texts: string[]) {
        for (const text of texts) await append(text);
      },
      /** As another process of the service would have it. */
      group: async (name = 'referee') => (await open()).group(namespace, name),
      async holding(consumer: string, name = 'referee') {
        const group = (await open()).group(namespace, name);
        expect(await group.hold(consumer, LEASE_MS)).toBe(true);
        return group;
      },
    };
  }

  test('an event comes out as it went in, in the order of the appends', async () => {
    const { log, namespace, append, holding } = await newLog();
    const whole = eventOf('whole', { payload: { deep: [1, null, { naïve: '“”' }], zero: 0 } });
    const { room: _, ...roomless } = eventOf('roomless', { payload: {}, rooms: [] });
    const ids = [];
    for (const event of [whole, roomless]) {
      ids.push((await log.append({ namespace, event, maxLength: 10, ttlMs: 60_000 })).entryId);
    }
    ids.push((await append('last')).entryId);
    const entries = await (await holding('r1')).read('r1', AT_ONCE);
    expect(entries).toEqual([
      { entryId: ids[0], event: whole, attempt: 1 },
      { entryId: ids[1], event: roomless, attempt: 1 },
      { entryId: ids[2], event: eventOf('last'), attempt: 1 },
    ]);
    expect(new Set(ids).size).toBe(3);
  });

  test('values that JSON does not have come out in their documented form', async () => {
    const { log, namespace, holding } = await newLog();
    const payload = { bytes: Uint8Array.from([1, 2]), at: new Date(0), not: Number.NaN };
    await log.append({ namespace, event: eventOf('x', { payload }), maxLength: 10, ttlMs: 60_000 });
    const [entry] = await (await holding('r1')).read('r1', AT_ONCE);
    expect(entry?.event.payload).toEqual({ bytes: { $base64: 'AQI=' }, at: '1970-01-01T00:00:00.000Z', not: null });
  });

  test('events appended at once keep the order of the calls', async () => {
    const { append, holding } = await newLog();
    const texts = Array.from({ length: 300 }, (_, index) => `${index}`);
    await Promise.all(texts.map(text => append(text)));
    const group = await holding('r1');
    const read: string[] = [];
    while (read.length < texts.length) read.push(...textsOf(await group.read('r1', { limit: 70, waitMs: 0 })));
    expect(read).toEqual(texts);
    expect(await group.read('r1', AT_ONCE)).toEqual([]);
  });

  test('a log without a group keeps its events for the first one; each group gets all', async () => {
    const { appendAll, holding } = await newLog();
    await appendAll('a', 'b');
    const referee = await holding('r1', 'referee');
    expect(textsOf(await referee.read('r1', AT_ONCE))).toEqual(['a', 'b']);
    await appendAll('c');
    const audit = await holding('r1', 'audit');
    expect(textsOf(await audit.read('r1', AT_ONCE))).toEqual(['a', 'b', 'c']);
    expect(textsOf(await referee.read('r1', AT_ONCE))).toEqual(['c']);
  });

  test('a waiting read wakes up for an event, and answers with nothing when its time is over', async () => {
    const { append, holding } = await newLog();
    const group = await holding('r1');
    expect(await group.read('r1', { limit: 10, waitMs: 20 })).toEqual([]);
    const reading = group.read('r1', { limit: 10, waitMs: 20_000 });
    await append('late');
    expect(textsOf(await reading)).toEqual(['late']);
    const again = group.read('r1', { limit: 10, waitMs: 20_000 });
    await append('later');
    expect(textsOf(await again)).toEqual(['later']);
  });

  test('one consumer of a group holds the lease; nobody else reads', async () => {
    const { appendAll, group, holding } = await newLog();
    await appendAll('a');
    await holding('r1');
    const other = await group();
    expect(await other.hold('r2', LEASE_MS)).toBe(false);
    for (const forbidden of each(other, 'r2', '1-0')) await expect(forbidden()).rejects.toMatchObject(FORBIDDEN);
    expect(await (await group('audit')).hold('r2', LEASE_MS)).toBe(true);
  });

  test('who takes over gets first what was not acknowledged, in order, with its attempts, then what is new', async () => {
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
    expect((await third.read('r3', AT_ONCE)).map(({ attempt }) => attempt)).toEqual([4, 3, 2]);
    await third.release('r3');
    expect(textsOf(await (await holding('r4')).read('r4', AT_ONCE))).toEqual(['a', 'c', 'd']);
  });

  test('a released lease is free at once', async () => {
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
    const reading = group.read('r1', { limit: 1, waitMs: 20_000 });
    const ended = expect(reading).rejects.toMatchObject(FORBIDDEN);
    await group.read('r1', AT_ONCE); // A barrier: the other one waits by now.
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
      await new Promise(resolve => setTimeout(resolve, 100)); // Time is what is tried here.
    }
    await first.release('r1');
    await holding('r3');
  });

  test('who lost the lease is told, changes nothing, and can begin anew', async () => {
    const { appendAll, group } = await newLog();
    await appendAll('a', 'b');
    const first = await group();
    await first.hold('r1', SHORT_LEASE_MS);
    const [a] = await first.read('r1', { limit: 1, waitMs: 0 });
    const second = await group();
    await eventually(() => second.hold('r2', LEASE_MS));
    for (const forbidden of each(first, 'r1', idOf(a))) await expect(forbidden()).rejects.toMatchObject(FORBIDDEN);
    expect(await first.deadLetters(10)).toEqual([]);
    expect(attemptsOf(await second.read('r2', AT_ONCE))).toEqual({ a: 2, b: 1 });
    await second.release('r2');
    expect(await first.hold('r1', LEASE_MS)).toBe(true);
    expect(attemptsOf(await first.read('r1', AT_ONCE))).toEqual({ a: 3, b: 2 });
  });

  test('a consumer whose lease ran out learns of it, though nobody took it', async () => {
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

  test('what was read is not given to the same consumer again; what was acknowledged, to nobody', async () => {
    const { appendAll, holding } = await newLog();
    await appendAll('a', 'b', 'c');
    const group = await holding('r1');
    const entries = await group.read('r1', AT_ONCE);
    expect(await group.read('r1', AT_ONCE)).toEqual([]);
    await group.acknowledge('r1', [idOf(entries[0]), idOf(entries[2])]);
    await group.acknowledge('r1', [idOf(entries[0])]); // A repeated one does no harm.
    await group.acknowledge('r1', []);
    await group.release('r1');
    expect(textsOf(await (await holding('r2')).read('r2', AT_ONCE))).toEqual(['b']);
  });

  test('a buried event is done, and a dead letter of its group only', async () => {
    const { appendAll, group, holding } = await newLog();
    await appendAll('a', 'b');
    const referee = await holding('r1');
    const [a, b] = await referee.read('r1', AT_ONCE);
    await referee.retry('r1', idOf(a));
    const before = Date.now();
    await referee.bury('r1', idOf(a), 'no such comparison');
    await referee.bury('r1', idOf(b), 'x'.repeat(5000));
    await referee.bury('r1', idOf(b), 'a second time changes nothing');
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

  test('a full log refuses, and takes again when every group has acknowledged', async () => {
    const { append, holding } = await newLog();
    const limited = (text: string) => append(text, { maxLength: 3 });
    for (const text of ['a', 'b', 'c']) await limited(text);
    await expect(limited('d')).rejects.toMatchObject({ code: 'UNAVAILABLE', message: /services are behind/i });
    const referee = await holding('r1', 'referee');
    const audit = await holding('a1', 'audit');
    const forReferee = await referee.read('r1', AT_ONCE);
    await referee.acknowledge('r1', forReferee.map(idOf));
    await expect(limited('d'), 'audit has none of it').rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const forAudit = await audit.read('a1', AT_ONCE);
    await expect(limited('d'), 'audit has it all, and nothing done').rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await audit.acknowledge('a1', forAudit.slice(0, 1).map(idOf));
    await limited('d');
    await expect(limited('e')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(textsOf(await referee.read('r1', AT_ONCE))).toEqual(['d']);
    await audit.release('a1');
    expect(textsOf(await (await holding('a2', 'audit')).read('a2', AT_ONCE)), 'nothing was dropped').toEqual([
      'b',
      'c',
      'd',
    ]);
  });

  test('what all groups are done with goes by itself, and the backlog says what waits', async () => {
    const { log, namespace, appendAll, group, holding } = await newLog();
    expect(await log.backlog(namespace)).toEqual({ length: 0, groups: [] });
    await appendAll(...Array.from({ length: 150 }, (_, index) => `${index}`));
    expect(await log.backlog(namespace)).toEqual({ length: 150, groups: [] });
    const referee = await holding('r1', 'referee');
    const entries = [
      ...(await referee.read('r1', { limit: 100, waitMs: 0 })),
      ...(await referee.read('r1', { limit: 40, waitMs: 0 })),
    ];
    await referee.acknowledge('r1', entries.slice(0, 99).map(idOf));
    expect((await log.backlog(namespace)).length, 'trimming costs: not at each acknowledgement').toBe(150);
    await referee.acknowledge('r1', entries.slice(99, 120).map(idOf));
    expect(await log.backlog(namespace)).toEqual({ length: 30, groups: [{ group: 'referee', waiting: 30 }] });
    await referee.acknowledge('r1', entries.slice(120, 130).map(idOf));
    expect(await referee.hold('r1', LEASE_MS), 'a renewal takes the rest').toBe(true);
    expect((await log.backlog(namespace)).length).toBe(20);
    await (await group('late')).deadLetters(1);
    expect((await log.backlog(namespace)).groups, 'who only looks founds no group').toHaveLength(1);
  });

  test('a repeated idempotency key changes nothing and gets the first entry', async () => {
    const { append, holding } = await newLog();
    const first = await append('a', { idempotencyKey: 'alice/a 1' });
    expect(first.repeated).toBe(false);
    await append('b', { idempotencyKey: 'bob/a 1' });
    expect(await append('a', { idempotencyKey: 'alice/a 1', maxLength: 1 })).toEqual({ ...first, repeated: true });
    expect(textsOf(await (await holding('r1')).read('r1', AT_ONCE))).toEqual(['a', 'b']);
  });

  test('a key whose event was refused is free', async () => {
    const { append, holding } = await newLog();
    await append('a', { maxLength: 1 });
    await expect(append('b', { maxLength: 1, idempotencyKey: 'k' })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await append('b', { idempotencyKey: 'k' })).toMatchObject({ repeated: false });
    expect(textsOf(await (await holding('r1')).read('r1', AT_ONCE))).toEqual(['a', 'b']);
  });

  test('a log is forgotten after its last event and its last reader; a reader keeps it', async () => {
    const { append, group, holding } = await newLog();
    await append('a', { ttlMs: 1000 });
    const reader = await group();
    for (let renewed = 0; renewed < 12; renewed++) {
      expect(await reader.hold('r1', 5000)).toBe(true);
      await new Promise(resolve => setTimeout(resolve, 100)); // Time is what is tried here.
    }
    const [a] = await reader.read('r1', AT_ONCE);
    expect(a?.event.id).toBe('a');
    await reader.release('r1');
    await new Promise(resolve => setTimeout(resolve, 1200));
    const next = await append('b');
    expect(sequence(next.entryId)).toBeGreaterThan(sequence(idOf(a)));
    expect(textsOf(await (await holding('r2')).read('r2', AT_ONCE))).toEqual(['b']);
  });

  test('reads are bounded, and each is asked for a sensible number', async () => {
    const { holding } = await newLog();
    const group = await holding('r1');
    for (const limit of [0, -1, 1001, Number.NaN]) {
      await expect(group.read('r1', { limit, waitMs: 0 })).rejects.toThrow(RangeError);
    }
  });
}

const FORBIDDEN = { code: 'FORBIDDEN' };

/** Everything that needs the lease. */
function each(group: EventGroup, consumer: string, entryId: string): (() => Promise<unknown>)[] {
  return [
    () => group.acknowledge(consumer, [entryId]),
    () => group.bury(consumer, entryId, 'no'),
    () => group.retry(consumer, entryId),
    () => group.read(consumer, AT_ONCE),
  ];
}

export function textsOf(entries: readonly EventEntry[]): string[] {
  return entries.map(({ event }) => event.id);
}

function attemptsOf(entries: readonly EventEntry[]): Record<string, number> {
  return Object.fromEntries(entries.map(({ event, attempt }) => [event.id, attempt]));
}

export function idOf(entry: EventEntry | undefined): string {
  return entry?.entryId ?? 'missing';
}

function sequence(entryId: string): number {
  return Number.parseInt(entryId, 10);
}
