/** The guarantees of every lifecycle log: events are appended to a log, and groups read them. */
import type { LifecycleEvent } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import type { ConsumerGroup } from '../src/consumer-group.js';
import type { LifecycleEntry, LifecycleLog } from '../src/index.js';

export interface LifecycleLogBench {
  /** Two views of one log, as two instances of a service have them. */
  readonly first: LifecycleLog;
  readonly second: LifecycleLog;
  /** Writes as presence does. */
  append(event: LifecycleEvent): Promise<void>;
}

const LEASE_MS = 60_000;

export const online = (user: string): LifecycleEvent => ({ event: 'user_online', user, atMs: 1 });

/** Reads until this many entries have arrived. */
async function take(group: ConsumerGroup<LifecycleEntry>, consumer: string, count: number): Promise<LifecycleEntry[]> {
  const taken: LifecycleEntry[] = [];
  await eventually(async () => {
    taken.push(...(await group.read(consumer, { limit: 100, waitMs: 20 })));
    return taken.length >= count;
  });
  return taken;
}

/** A consumer that has the lease, and a place for its group. */
async function begin(log: LifecycleLog, consumer: string): Promise<ConsumerGroup<LifecycleEntry>> {
  const group = log.group('g');
  expect(await group.hold(consumer, LEASE_MS)).toBe(true);
  expect(await group.read(consumer, { limit: 10, waitMs: 1 })).toEqual([]);
  return group;
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
