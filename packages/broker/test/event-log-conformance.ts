/** The guarantees of every log of client events. Run against memory and against a real Redis. */
import { expect, test } from 'vitest';
import type { EventLog } from '../src/event-log.js';
import { AT_ONCE, eventOf, idOf, LEASE_MS, newEventLog, textsOf } from './event-stories.js';

/** `open` returns one process's view; all views of a file share the same logs. */
export function eventLogConformance(open: () => Promise<EventLog>): void {
  const newLog = () => newEventLog(open);

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

  test('simultaneous appends keep the order of the calls', async () => {
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
    const reading = group.read('r1', { limit: 10, waitMs: 60_000 });
    await append('late');
    expect(textsOf(await reading)).toEqual(['late']);
    const again = group.read('r1', { limit: 10, waitMs: 60_000 });
    await append('later');
    expect(textsOf(await again)).toEqual(['later']);
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

  test('events that all groups have finished are deleted without a call, and the backlog counts those that wait', async () => {
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

  test('of events of one millisecond only those go that every group is done with', async () => {
    const { log, namespace, append, holding } = await newLog();
    const texts = Array.from({ length: 200 }, (_, index) => `${index}`);
    await Promise.all(texts.map(text => append(text)));
    const referee = await holding('r1', 'referee');
    const audit = await holding('a1', 'audit');
    await referee.acknowledge('r1', (await referee.read('r1', { limit: 20, waitMs: 0 })).map(idOf));
    await audit.acknowledge('a1', (await audit.read('a1', { limit: 21, waitMs: 0 })).map(idOf));
    expect(await referee.hold('r1', LEASE_MS)).toBe(true);
    expect(await audit.hold('a1', LEASE_MS)).toBe(true);
    expect((await log.backlog(namespace)).length).toBe(180);
    const rest = [...(await referee.read('r1', AT_ONCE)), ...(await referee.read('r1', AT_ONCE))];
    expect(textsOf(rest)).toEqual(texts.slice(20));
  });

  test('a repeated idempotency key changes nothing and gets the first entry', async () => {
    const { append, holding } = await newLog();
    const first = await append('a', { idempotencyKey: 'alice/a 1' });
    expect(first.repeated).toBe(false);
    await append('b', { idempotencyKey: 'bob/a 1' });
    expect(await append('a', { idempotencyKey: 'alice/a 1', maxLength: 1 })).toMatchObject({
      entryId: first.entryId,
      repeated: true,
    });
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
      await new Promise(resolve => setTimeout(resolve, 100)); // The test is about time.
    }
    const [a] = await reader.read('r1', AT_ONCE);
    expect(a?.event.id).toBe('a');
    await reader.release('r1');
    await new Promise(resolve => setTimeout(resolve, 1200)); // No condition to wait for: a read would keep the log alive.
    const next = await append('b');
    expect(sequence(next.entryId)).toBeGreaterThan(sequence(idOf(a)));
    expect(textsOf(await (await holding('r2')).read('r2', AT_ONCE))).toEqual(['b']);
  });
}

function sequence(entryId: string): number {
  return Number.parseInt(entryId, 10);
}
