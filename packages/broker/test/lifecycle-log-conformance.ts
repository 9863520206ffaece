/** The guarantees of every lifecycle log: events are appended to a log, and groups read them. */
import type { LifecycleEvent } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import type { LifecycleEntry, LifecycleGroup, LifecycleLog } from '../src/index.js';

export interface LifecycleLogBench {
  /** Two views of one log, as two instances of a service have them. */
  readonly first: LifecycleLog;
  readonly second: LifecycleLog;
  /** Writes as presence does. */
  append(event: LifecycleEvent): Promise<void>;
  /** Forgets older events, as if very many had followed. */
  keepNewest(count: number): Promise<void>;
}

const LEASE_MS = 60_000;

export const online = (user: string): LifecycleEvent => ({ event: 'user_online', user, atMs: 1 });

/** Reads until this many entries have arrived. */
async function take(group: LifecycleGroup, consumer: string, count: number): Promise<LifecycleEntry[]> {
  const taken: LifecycleEntry[] = [];
  await eventually(async () => {
    taken.push(...(await group.read(consumer, { limit: 100, waitMs: 20 })));
    return taken.length >= count;
  });
  return taken;
}

/** A consumer that has the lease, and a place for its group. */
export async function begin(log: LifecycleLog, consumer: string): Promise<LifecycleGroup> {
  const group = log.group('g');
  expect(await group.hold(consumer, LEASE_MS)).toBe(true);
  await group.acknowledge(consumer, [await takeGap(group, consumer, 'began')]);
  expect(await group.read(consumer, { limit: 10, waitMs: 1 })).toEqual([]);
  return group;
}

/** Reads the gap that must come first, alone, and returns its id. */
export async function takeGap(group: LifecycleGroup, consumer: string, reason: 'began' | 'missed'): Promise<string> {
  const entries = await group.read(consumer, { limit: 10, waitMs: 1 });
  expect(entries.map(({ event }) => event)).toEqual([{ event: 'lifecycle_gap', reason, atMs: expect.any(Number) }]);
  return entries[0]?.entryId ?? '';
}

export const usersOf = (entries: readonly LifecycleEntry[]) =>
  entries.map(({ event }) => ('user' in event ? event.user : undefined));

export function lifecycleLogConformance(open: () => Promise<LifecycleLogBench>): void {
  test('a group gets what is written after it began, in order, every field', async () => {
    const { first, append } = await open();
    await append(online('before'));
    const group = await begin(first, 'c1');
    const member = { event: 'member_left', room: 'r:1', user: 'u1', name: 'One', reason: 'dropped', atMs: 7 } as const;
    await append(online('a'));
    await append(member);
    const entries = await take(group, 'c1', 2);
    expect(entries.map(({ event }) => event)).toEqual([online('a'), member]);
    expect(new Set(entries.map(({ entryId }) => entryId)).size).toBe(2);
    expect(entries[0]?.attempt).toBe(1);
  });

  test('one consumer of a group at a time reads; after a release the next begins with what was not acknowledged', async () => {
    const { first, second, append } = await open();
    const group = await begin(first, 'c1');
    for (const user of ['a', 'b', 'c']) await append(online(user));
    const [a, b] = await take(group, 'c1', 3);
    const other = second.group('g');
    expect(await other.hold('c2', LEASE_MS)).toBe(false);
    // The second before the first: a finished entry behind an unfinished one is handed out again.
    await group.acknowledge('c1', [b?.entryId ?? '']);
    await group.acknowledge('c1', [a?.entryId ?? '']);
    await group.release('c1');
    expect(await other.hold('c2', LEASE_MS)).toBe(true);
    expect(usersOf(await take(other, 'c2', 1))).toEqual(['c']);
  });

  test('an entry that is done behind one that is not is given out again', async () => {
    const { first, second, append } = await open();
    const group = await begin(first, 'c1');
    for (const user of ['a', 'b']) await append(online(user));
    const [, b] = await take(group, 'c1', 2);
    await group.acknowledge('c1', [b?.entryId ?? '']);
    await group.release('c1');
    const other = second.group('g');
    await other.hold('c2', LEASE_MS);
    expect(usersOf(await take(other, 'c2', 2))).toEqual(['a', 'b']);
  });

  test('a consumer that lost the lease can neither read nor acknowledge', async () => {
    const { first, second, append } = await open();
    const group = await begin(first, 'c1');
    await append(online('a'));
    const [a] = await take(group, 'c1', 1);
    expect(await group.hold('c1', 1)).toBe(true);
    const other = second.group('g');
    await eventually(() => other.hold('c2', LEASE_MS));
    await expect(group.acknowledge('c1', [a?.entryId ?? ''])).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(group.read('c1', { limit: 1, waitMs: 1 })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(usersOf(await take(other, 'c2', 1))).toEqual(['a']);
  });

  test('a gap is given out until it is acknowledged, with the same id; a group that was away briefly has none', async () => {
    const { first, second, append } = await open();
    const group = first.group('g');
    await group.hold('c1', LEASE_MS);
    const gap = await takeGap(group, 'c1', 'began');
    await append(online('a'));
    const [a] = await take(group, 'c1', 1);
    await group.acknowledge('c1', [a?.entryId ?? '']);
    await group.release('c1');
    const other = second.group('g');
    await other.hold('c2', LEASE_MS);
    expect(await takeGap(other, 'c2', 'began')).toBe(gap);
    await other.acknowledge('c2', [gap]);
    await other.release('c2');
    await append(online('b'));
    await group.hold('c3', LEASE_MS);
    expect(usersOf(await take(group, 'c3', 1))).toEqual(['b']);
  });

  test('a group that was away for too many events gets a gap, then those that are left', async () => {
    const { first, second, append, keepNewest } = await open();
    const group = await begin(first, 'c1');
    await append(online('a'));
    const [a] = await take(group, 'c1', 1);
    await group.acknowledge('c1', [a?.entryId ?? '']);
    await group.release('c1');
    for (const user of ['b', 'c', 'd']) await append(online(user));
    await keepNewest(2);
    const other = second.group('g');
    await other.hold('c2', LEASE_MS);
    const gap = await takeGap(other, 'c2', 'missed');
    expect(usersOf(await take(other, 'c2', 2))).toEqual(['c', 'd']);
    await other.acknowledge('c2', [gap]);
    await other.release('c2');
    await group.hold('c3', LEASE_MS);
    expect(usersOf(await take(group, 'c3', 2))).toEqual(['c', 'd']);
  });

  test('a reader that falls behind what is kept gets a gap before it continues', async () => {
    const { first, append, keepNewest } = await open();
    const group = await begin(first, 'c1');
    for (const user of ['a', 'b', 'c', 'd']) await append(online(user));
    await keepNewest(2);
    const entries = await group.read('c1', { limit: 2, waitMs: 1000 });
    expect(entries.map(({ event }) => event)).toMatchObject([{ reason: 'missed' }, { user: 'c' }, { user: 'd' }]);
  });

  test('a dead letter is listed with its event, and given out again by a replay, to this group alone', async () => {
    const { first, append } = await open();
    const group = await begin(first, 'c1');
    const left = { event: 'member_left', room: 'r:1', user: 'u1', name: 'One', reason: 'left', atMs: 7 } as const;
    await append(left);
    const [entry] = await take(group, 'c1', 1);
    const entryId = entry?.entryId ?? '';
    await group.retry('c1', entryId);
    await group.deadLetter('c1', entryId, 'cannot be handled');
    const [letter, ...others] = await first.group('g').deadLetters(10);
    expect(others).toEqual([]);
    expect(letter).toEqual({
      ...{ letterId: expect.any(String), entryId, event: left, attempt: 2 },
      ...{ reason: 'cannot be handled', buriedAtMs: expect.any(Number) },
    });
    expect(await first.group('other').deadLetters(10)).toEqual([]);
    const replayed = await first.group('g').replay(letter?.letterId ?? '');
    expect(await first.group('g').replay(letter?.letterId ?? '')).toBeUndefined();
    expect(await group.deadLetters(10)).toEqual([]);
    const [again] = await take(group, 'c1', 1);
    expect(again).toEqual({ entryId: replayed, event: left, attempt: 1 });
    await group.acknowledge('c1', [again?.entryId ?? '']);
    await group.release('c1');
    await group.hold('c2', LEASE_MS);
    expect(await group.read('c2', { limit: 10, waitMs: 1 })).toEqual([]);
  });

  test('a replay waits for the next holder of the lease', async () => {
    const { first, append } = await open();
    const group = await begin(first, 'c1');
    await append(online('a'));
    const [a] = await take(group, 'c1', 1);
    await group.deadLetter('c1', a?.entryId ?? '', 'cannot be handled');
    await group.release('c1');
    const [letter] = await group.deadLetters(1);
    await group.replay(letter?.letterId ?? '');
    await group.hold('c2', LEASE_MS);
    expect(usersOf(await take(group, 'c2', 1))).toEqual(['a']);
    await group.release('c2');
    await group.hold('c3', LEASE_MS);
    expect(usersOf(await take(group, 'c3', 1)), 'not acknowledged').toEqual(['a']);
  });

  test('attempts are counted, and an abandoned event is done', async () => {
    const { first, second, append } = await open();
    const group = await begin(first, 'c1');
    await append(online('a'));
    const [a] = await take(group, 'c1', 1);
    expect(await group.retry('c1', a?.entryId ?? '')).toBe(2);
    expect(await group.retry('c1', a?.entryId ?? '')).toBe(3);
    await group.deadLetter('c1', a?.entryId ?? '', 'cannot be handled');
    await group.release('c1');
    await append(online('b'));
    const other = second.group('g');
    await other.hold('c2', LEASE_MS);
    expect(usersOf(await take(other, 'c2', 1))).toEqual(['b']);
  });
}
