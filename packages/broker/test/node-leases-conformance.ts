/** The guarantees of every implementation of node leases. Run against memory and against a real Redis. */

import { eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { lateCheckMs, type NodeLeases, type Reaping, wireHoldMs } from '../src/node-leases.js';

const SHORT_MS = 30;
const LONG_MS = 60_000;

/** `open` makes leases of an empty cluster. */
export function nodeLeasesConformance(open: (leaseMs: number) => Promise<NodeLeases>): void {
  test('a registered node is alive and can renew', async () => {
    const leases = await open(LONG_MS);
    await leases.register('edge-1/a');
    expect(await leases.renew('edge-1/a')).toBeDefined();
    expect((await leases.living()).map(lease => lease.incarnation)).toEqual(['edge-1/a']);
    expect((await leases.living())[0]?.expiresInMs).toBeGreaterThan(LONG_MS / 2);
    const { dead, nextInMs } = await leases.reap();
    expect(dead).toEqual([]);
    expect(nextInMs).toBeGreaterThan(LONG_MS / 2);
    expect(nextInMs).toBeLessThanOrEqual(LONG_MS);
  });

  test('without leases there is nothing to expect', async () => {
    const none = { dead: [], nextInMs: Number.POSITIVE_INFINITY, holdBegan: false };
    expect(await (await open(LONG_MS)).reap()).toEqual(none);
  });

  test('a node that never registered is fenced', async () => {
    const leases = await open(LONG_MS);
    expect(await leases.renew('edge-1/a')).toBeUndefined();
  });

  test('reaps an edge that does not renew, keeps it among the dead until forgotten, and fences it', async () => {
    const leases = await open(SHORT_MS);
    await leases.register('edge-1/a');
    await eventually(async () => (await leases.reap()).dead.includes('edge-1/a'));
    expect((await leases.reap()).dead).toEqual(['edge-1/a']);
    expect(await leases.living()).toEqual([]);
    expect(await leases.dead()).toEqual(['edge-1/a']);
    expect(await leases.renew('edge-1/a')).toBeUndefined();
    await leases.register('edge-1/a');
    expect(await leases.renew('edge-1/a')).toBeUndefined();
    await leases.forget('edge-1/a');
    expect((await leases.reap()).dead).toEqual([]);
    expect(await leases.dead()).toEqual([]);
    expect(await leases.renew('edge-1/a')).toBeUndefined();
  });

  test('an edge that is late and not yet reaped may continue', async () => {
    const leases = await open(SHORT_MS);
    await leases.register('edge-1/a');
    await eventually(async () => ((await leases.living())[0]?.expiresInMs ?? 0) < 0);
    expect(await leases.renew('edge-1/a')).toBeDefined();
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

  test('after a late check no edge dies for half a lease, and then those that did not renew', async () => {
    const leaseMs = 400;
    const leases = await open(leaseMs);
    for (const incarnation of ['edge-1/a', 'edge-2/a']) await leases.register(incarnation);
    expect(await leases.reap()).toMatchObject({ dead: [], holdBegan: false });
    const checkedAtMs = performance.now();
    await eventually(() => performance.now() - checkedAtMs > lateCheckMs(leaseMs) + 50);
    const late = await leases.reap();
    expect(late).toMatchObject({ dead: [], holdBegan: true });
    expect(late.nextInMs, 'the end of the hold').toBeGreaterThan(0);
    expect(late.nextInMs).toBeLessThanOrEqual(leaseMs / 2);
    expect(await leases.renew('edge-1/a'), 'had no chance to renew').toBeDefined();
    expect(await leases.reap(), 'the hold lasts').toMatchObject({ dead: [], holdBegan: false });
    await eventually(async () => (await leases.reap()).dead.length > 0);
    expect((await leases.reap()).dead).toEqual(['edge-2/a']);
  });

  test('a late check right after another one gives a further half of a lease', async () => {
    const leaseMs = 2000;
    const leases = await open(leaseMs);
    await leases.register('edge-1/a');
    await leases.reap();
    const late = async (): Promise<Reaping> => {
      const checkedAtMs = performance.now();
      await eventually(() => performance.now() - checkedAtMs > lateCheckMs(leaseMs) + 50);
      return await leases.reap();
    };
    for (const check of ['first', 'second', 'third']) {
      expect(await late(), `the ${check} late check`).toMatchObject({ dead: [], holdBegan: true });
    }
    await eventually(async () => (await leases.reap()).dead.length > 0);
  });

  test('checks that are always a little late do not keep a dead edge for ever', async () => {
    const leaseMs = 2000;
    const leases = await open(leaseMs);
    await leases.register('edge-1/a');
    await leases.reap();
    const beganAtMs = performance.now();
    let checkedAtMs = beganAtMs;
    await eventually(
      async () => {
        if (performance.now() - checkedAtMs < lateCheckMs(leaseMs) + 50) return false;
        checkedAtMs = performance.now();
        return (await leases.reap()).dead.length > 0;
      },
      { withinMs: 6 * leaseMs, describe: 'the edge is declared dead' },
    );
  });

  test('all nodes can be fenced: they notice immediately, and are listed as dead after a lease', async () => {
    const leases = await open(200);
    await leases.register('edge-1/a');
    await leases.fenceAll();
    expect((await leases.reap()).dead).toEqual([]);
    expect(await leases.renew('edge-1/a')).toBeUndefined();
    await leases.register('edge-1/b');
    expect(await leases.renew('edge-1/b')).toBeDefined();
    await eventually(async () => (await leases.reap()).dead.includes('edge-1/a'));
  });

  describe('the wire version', () => {
    const leaseMs = 200;
    const written = async (leases: NodeLeases) => (await leases.wireVersions()).written;
    /** Checks again and again until the nodes write the version; returns after how many milliseconds. */
    const risen = async (leases: NodeLeases, version: number, presenceReads = version): Promise<number> => {
      const beganAtMs = performance.now();
      await eventually(async () => {
        for (const { incarnation } of await leases.living()) await leases.renew(incarnation);
        await leases.reap(presenceReads);
        return (await written(leases)) === version;
      });
      return performance.now() - beganAtMs;
    };

    test('is the first one before anything decides it', async () => {
      const leases = await open(LONG_MS);
      await leases.register('edge-1/a.v2');
      expect(await leases.renew('edge-1/a.v2')).toBe(1);
      expect(await leases.wireVersions()).toEqual({ written: 1, lowest: 1 });
    });

    test('rises when all nodes have read the higher one for some time, and not before', async () => {
      const leases = await open(leaseMs);
      for (const name of ['edge-1/a.v2', 'edge-2/a.v3']) await leases.register(name);
      await leases.reap(3);
      expect(await leases.wireVersions(), 'all read it').toEqual({ written: 1, lowest: 2 });
      expect(await risen(leases, 2, 3)).toBeGreaterThan(wireHoldMs(leaseMs) - 50);
      expect(await leases.renew('edge-1/a.v2')).toBe(2);
    });

    test('falls with the first check after a node of an earlier version has registered', async () => {
      const leases = await open(leaseMs);
      await leases.register('edge-1/a.v2');
      await risen(leases, 2);
      await leases.register('edge-2/old');
      await leases.reap(2);
      expect(await leases.renew('edge-1/a.v2')).toBe(1);
    });

    test('falls with presence, too', async () => {
      const leases = await open(leaseMs);
      await leases.register('edge-1/a.v2');
      await risen(leases, 2);
      await leases.reap(1);
      expect(await leases.renew('edge-1/a.v2')).toBe(1);
      expect(await leases.wireVersions()).toEqual({ written: 1, lowest: 1 });
    });

    test('waits the whole time again after a node of an earlier version was there for a moment', async () => {
      const leases = await open(leaseMs);
      await leases.register('edge-1/a.v2');
      await risen(leases, 2);
      await leases.register('edge-2/old');
      await leases.reap(2);
      await leases.release('edge-2/old');
      expect(await risen(leases, 2)).toBeGreaterThan(wireHoldMs(leaseMs) - 50);
    });

    test('is the first one again a lease after the last check: presence of an earlier version does not decide', async () => {
      const leases = await open(leaseMs);
      await leases.register('edge-1/a.v2');
      await risen(leases, 2);
      await eventually(async () => (await leases.renew('edge-1/a.v2')) === 1);
      expect(await written(leases)).toBe(1);
    });
  });
}
