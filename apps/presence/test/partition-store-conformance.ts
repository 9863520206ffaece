/** The contract of every partition store. Runs against memory and against a real Redis. */
import { expect, test } from 'vitest';
import type { HashChange } from '../src/partition/effects.js';
import type { Claim, Commit, PartitionStore } from '../src/partition-store.js';
import type { Publication } from '../src/publication.js';

/** A store, and its publications. */
export interface OpenStore {
  readonly store: PartitionStore;
  /** Resolves with the texts published on a channel so far; complete because a barrier was awaited. */
  published(channel: string): Promise<string[]>;
}

export function change(name: string, set: Record<string, string>, more: Partial<HashChange> = {}): HashChange {
  return { name, clear: false, set: new Map(Object.entries(set)), remove: [], ...more };
}

function publication(body: string): Publication {
  return { channel: 'c', head: '\u0001{}\u0002', body };
}

function commitOf(sequence: number, more: Partial<Commit> = {}): Commit {
  return { sequence, position: `${sequence + 1}-0`, hashes: [], publications: [], lifecycle: [], ...more };
}

async function claimed(
  store: PartitionStore,
  instance: string,
  living: readonly string[] = [instance],
): Promise<Claim> {
  const claim = await store.claim(3, instance, living);
  if (claim === undefined) throw new Error(`${instance} did not get the partition`);
  return claim;
}

export function partitionStoreConformance(open: () => Promise<OpenStore>): void {
  test('an unknown partition is lost until its first commit', async () => {
    const { store } = await open();
    expect(await claimed(store, 'a')).toMatchObject({ partition: 3, sequence: 0, lost: true });
    const again = await claimed(store, 'a');
    expect(again.lost).toBe(true);
    expect(await store.commit(again, commitOf(0))).toBe(true);
    expect(await claimed(store, 'a')).toMatchObject({ sequence: 1, position: '1-0', lost: false, restored: false });
  });

  test('the next owner loads the committed state', async () => {
    const { store } = await open();
    const claim = await claimed(store, 'a');
    const hashes = [
      change('meta', { floor: '7', i1: 'edge-1/a' }),
      change('rooms', { general: '5 2', empty: '1 0' }),
      change('room:general', { alice: '[0,1,"s1"]', __proto__: '[0]', '12': '[0,1,"s2"]' }),
      change('users:0', { alice: '[1,"s1"]' }),
      change('users:63', { zoë: '[1,"s2"]' }),
    ];
    await store.commit(claim, commitOf(0, { hashes }));
    await store.commit(claim, commitOf(1, { hashes: [change('room:general', {}, { remove: ['alice', 'nobody'] })] }));
    const saved = await store.load(await claimed(store, 'b', ['b']));
    expect(saved.meta.get('floor')).toBe('7');
    expect([...saved.rooms]).toEqual(
      expect.arrayContaining([
        ['general', '5 2'],
        ['empty', '1 0'],
      ]),
    );
    expect([...(saved.members.get('general')?.keys() ?? [])]).toEqual(['12']);
    expect([...saved.users.keys()].sort()).toEqual(['alice', 'zoë']);
  });

  test('a hash is cleared before it is written if the change requires it', async () => {
    const { store } = await open();
    const claim = await claimed(store, 'a');
    await store.commit(
      claim,
      commitOf(0, { hashes: [change('rooms', { r: '1 1' }), change('room:r', { old: '[]' })] }),
    );
    await store.commit(claim, commitOf(1, { hashes: [change('room:r', { fresh: '[]' }, { clear: true })] }));
    expect([...((await store.load(claim)).members.get('r')?.keys() ?? [])]).toEqual(['fresh']);
  });

  test('a live holder keeps its partition; a dead or releasing one loses it', async () => {
    const { store } = await open();
    const first = await claimed(store, 'a');
    expect(await store.claim(3, 'b', ['a', 'b'])).toBeUndefined();
    await store.release(first);
    const second = await claimed(store, 'b', ['a', 'b']);
    expect(await store.claim(3, 'a', ['a', 'b'])).toBeUndefined();
    await store.release(first); // Held by another instance now: changes nothing.
    expect(await store.claim(3, 'a', ['a', 'b'])).toBeUndefined();
    expect((await claimed(store, 'a', ['a'])).owner).not.toBe(second.owner);
  });

  test('a stale owner changes nothing and publishes nothing, however late', async () => {
    const { store, published } = await open();
    const stale = await claimed(store, 'a');
    await store.commit(stale, commitOf(0));
    const fresh = await claimed(store, 'b', ['b']);
    const late = commitOf(1, {
      hashes: [change('rooms', { ghost: '1 1' })],
      publications: [publication('ghost')],
    });
    expect(await store.commit(stale, late)).toBe(false);
    expect(await store.commit(fresh, commitOf(1, { publications: [publication('real')] }))).toBe(true);
    expect(await published('c')).toEqual(['\u0001{}\u0002real']);
    expect((await store.load(fresh)).rooms.has('ghost')).toBe(false);
  });

  test('an instance that claims again fences its earlier claim', async () => {
    const { store } = await open();
    const before = await claimed(store, 'a');
    await claimed(store, 'a');
    expect(await store.commit(before, commitOf(0))).toBe(false);
  });

  test('each claim has a higher fence than the previous one', async () => {
    const { store } = await open();
    const fences: number[] = [];
    for (const instance of ['a', 'a', 'b', 'a']) fences.push((await claimed(store, instance, [])).fence);
    expect(fences).toEqual([...new Set(fences)].sort((x, y) => x - y));
  });

  test('only the owner can renew; other instances learn that they are not the owner', async () => {
    const { store } = await open();
    const stale = await claimed(store, 'a');
    await store.commit(stale, commitOf(0));
    expect(await store.renew(stale, ['rooms'])).toBe(true);
    const fresh = await claimed(store, 'b', ['b']);
    expect(await store.renew(stale, ['rooms'])).toBe(false);
    expect(await store.renew(fresh, ['rooms'])).toBe(true);
    await store.release(fresh);
    expect(await store.renew(fresh, [])).toBe(false);
  });

  test('a commit that is sent twice is applied once', async () => {
    const { store, published } = await open();
    const claim = await claimed(store, 'a');
    const commit = commitOf(0, { publications: [publication('once')] });
    expect(await store.commit(claim, commit)).toBe(true);
    expect(await store.commit(claim, commit)).toBe(false);
    expect(await published('c')).toEqual(['\u0001{}\u0002once']);
  });

  test('publications that share a body each arrive with it', async () => {
    const { store, published } = await open();
    const bodies = ['"a"', '"a"', '"b"', '"b"', '"b"', '"a"', ''];
    const publications = bodies.map(publication);
    expect(await store.commit(await claimed(store, 'a'), commitOf(0, { publications }))).toBe(true);
    expect(await published('c')).toEqual(bodies.map(body => `\u0001{}\u0002${body}`));
  });

  test('a large commit arrives completely and in order', async () => {
    const { store, published } = await open();
    const claim = await claimed(store, 'a');
    const rows = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`u${index}`, `[0,1,"s${index}"]`]));
    const hashes = [change('rooms', { big: '1 10000' }), change('room:big', rows)];
    const publications = Array.from({ length: 2000 }, (_, index) => publication(`é${index}`));
    const lifecycle = Array.from({ length: 100 }, (_, index) => ({
      event: 'user_online' as const,
      user: `u${index}`,
      atMs: 1,
    }));
    expect(await store.commit(claim, commitOf(0, { hashes, publications, lifecycle }))).toBe(true);
    expect((await store.load(claim)).members.get('big')?.size).toBe(10_000);
    expect(await published('c')).toEqual(publications.map(({ head, body }) => head + body));
    const removal = change('room:big', {}, { remove: Object.keys(rows) });
    expect(await store.commit(claim, commitOf(1, { hashes: [removal] }))).toBe(true);
    expect((await store.load(claim)).members.get('big')?.size ?? 0).toBe(0);
  });
}
