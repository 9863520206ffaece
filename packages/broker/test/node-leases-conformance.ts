/** The guarantees of every implementation of node leases. Run against memory and against a real Redis. */

import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import type { NodeLeases } from '../src/node-leases.js';

const SHORT_MS = 30;
const LONG_MS = 60_000;

/** `open` makes leases of an empty cluster. */
export function nodeLeasesConformance(open: (leaseMs: number) => Promise<NodeLeases>): void {
  test('a registered node is alive and can renew', async () => {
    const leases = await open(LONG_MS);
    await leases.register('edge-1/a');
    expect(await leases.renew('edge-1/a')).toBe(true);
    expect((await leases.living()).map(lease => lease.incarnation)).toEqual(['edge-1/a']);
    expect((await leases.living())[0]?.expiresInMs).toBeGreaterThan(LONG_MS / 2);
    const { dead, nextInMs } = await leases.reap();
    expect(dead).toEqual([]);
    expect(nextInMs).toBeGreaterThan(LONG_MS / 2);
    expect(nextInMs).toBeLessThanOrEqual(LONG_MS);
  });

  test('without leases there is nothing to expect', async () => {
    expect(await (await open(LONG_MS)).reap()).toEqual({ dead: [], nextInMs: Number.POSITIVE_INFINITY });
  });

  test('a node that never registered is fenced', async () => {
    const leases = await open(LONG_MS);
    expect(await leases.renew('edge-1/a')).toBe(false);
  });

  test('reaps an edge that does not renew, keeps it among the dead until forgotten, and fences it', async () => {
    const leases = await open(SHORT_MS);
    await leases.register('edge-1/a');
    await eventually(async () => (await leases.reap()).dead.includes('edge-1/a'));
    expect((await leases.reap()).dead).toEqual(['edge-1/a']);
    expect(await leases.living()).toEqual([]);
    expect(await leases.renew('edge-1/a')).toBe(false);
    await leases.register('edge-1/a');
    expect(await leases.renew('edge-1/a')).toBe(false);
    await leases.forget('edge-1/a');
    expect((await leases.reap()).dead).toEqual([]);
    expect(await leases.renew('edge-1/a')).toBe(false);
  });

  test('an edge that is late and not yet reaped may continue', async () => {
    const leases = await open(SHORT_MS);
    await leases.register('edge-1/a');
    await eventually(async () => ((await leases.living())[0]?.expiresInMs ?? 0) < 0);
    expect(await leases.renew('edge-1/a')).toBe(true);
    expect((await leases.living())[0]?.expiresInMs).toBeGreaterThan(0);
  });

  test('a node that releases its lease does not die', async () => {
    const leases = await open(SHORT_MS);
    await leases.register('edge-1/a');
    await leases.register('edge-2/b');
    await leases.release('edge-1/a');
    await eventually(async () => (await leases.reap()).dead.includes('edge-2/b'));
    expect((await leases.reap()).dead).toEqual(['edge-2/b']);
  });

  test('all nodes can be fenced: they notice immediately, and are listed as dead after a lease', async () => {
    const leases = await open(200);
    await leases.register('edge-1/a');
    await leases.fenceAll();
    expect((await leases.reap()).dead).toEqual([]);
    expect(await leases.renew('edge-1/a')).toBe(false);
    await leases.register('edge-1/b');
    expect(await leases.renew('edge-1/b')).toBe(true);
    await eventually(async () => (await leases.reap()).dead.includes('edge-1/a'));
  });
}
