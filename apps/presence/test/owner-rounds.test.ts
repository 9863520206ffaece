/** The rounds of an owner with failures and delays in between. */
import { setTimeout as sleep } from 'node:timers/promises';
import { HubbubError, WIRE_VERSION } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { cleanup } from '../../../tests/support/cleanup.js';
import { INSTANCE_LEASE_MS } from '../src/instance-leases.js';
import { DEFAULT_NAMESPACE_RULES } from '../src/partition/rules.js';
import { UNREAD_RESYNC_MS } from '../src/wire-state.js';
import { OwnerBench, withFault } from './support/owner-bench.js';

const GRACE_MS = DEFAULT_NAMESPACE_RULES.leaveGraceMs;
const UNAVAILABLE = new HubbubError('UNAVAILABLE', 'This call was lost.');
const join = (session: string, user: string) => ({ kind: 'join', room: 'general', session, user, name: user }) as const;

test('a lost partition fences every edge before its first commit, even if fencing fails at first', async () => {
  const bench = new OwnerBench();
  await bench.nodeLeases.register('edge-1/a');
  const calls: string[] = [];
  bench.start('p1', {
    nodeLeases: withFault(bench.nodeLeases, {
      async fenceAll() {
        calls.push('fence');
        if (calls.length === 1) throw UNAVAILABLE;
        await bench.nodeLeases.fenceAll();
      },
    }),
    store: withFault(bench.store, {
      async commit(...args) {
        calls.push('commit');
        return await bench.store.commit(...args);
      },
    }),
  });
  await eventually(() => calls.includes('commit'));
  expect(calls.slice(0, 3)).toEqual(['fence', 'fence', 'commit']);
  expect(await bench.nodeLeases.renew('edge-1/a')).toBeUndefined();
});

test('the takeover of a known partition fences no edge', async () => {
  const bench = new OwnerBench();
  const first = bench.start('p1');
  await eventually(() => first.owned.size === 1);
  first.stop();
  await bench.nodeLeases.register('edge-1/a');
  const second = bench.start('p2');
  await eventually(() => second.owned.size === 1);
  expect(await bench.nodeLeases.renew('edge-1/a')).toBeDefined();
});

test('a single report is committed immediately, and many that follow each other closely are committed together', async () => {
  const bench = new OwnerBench();
  let commits = 0;
  const store = withFault(bench.store, {
    async commit(...args) {
      commits++;
      return await bench.store.commit(...args);
    },
  });
  const owner = bench.start('p1', { store });
  await eventually(() => owner.owned.size === 1);
  const commitsFor = async (reports: number): Promise<number> => {
    const before = commits;
    for (let n = 0; n < reports; n++) {
      await bench.report('edge-1/a', join(`s${reports}-${n}`, `user-${reports}-${n}`));
      if (n % 4 === 3) await sleep(1);
    }
    await eventually(() => bench.heard.some(({ sessions }) => sessions?.includes(`s${reports}-${reports - 1}`)));
    return commits - before;
  };
  expect(await commitsFor(1)).toBe(1);
  expect(await commitsFor(300)).toBeLessThan(300 / 5);
});

test('a reconnect within the grace is invisible when presence was paused between reading and applying (invariant 5)', async () => {
  const bench = new OwnerBench();
  bench.start('p1');
  await bench.report('edge-1/a', join('s1', 'alice'));
  await eventually(() => bench.heard.some(({ type }) => type === 'user_joined'));
  await bench.report('edge-1/a', { kind: 'drop', room: 'general', session: 's1', user: 'alice' });
  await eventually(() => bench.store.hash(0, 'room:general').get('alice')?.includes('"l":'));
  bench.log.hold();
  await eventually(() => bench.log.held === 1, { describe: 'the owner holds an answer without news' });
  bench.advance(GRACE_MS / 2);
  await bench.report('edge-1/a', join('s2', 'alice'));
  bench.advance(2 * GRACE_MS);
  bench.log.release();
  await eventually(() => bench.heard.some(({ sessions }) => sessions?.includes('s2')));
  expect(bench.heard.map(({ type }) => type).filter(type => type.startsWith('user_'))).toEqual(['user_joined']);
});

test('a reconnect within the grace is invisible even if it waits in the log behind more entries than one read returns', async () => {
  const bench = new OwnerBench();
  await bench.report('edge-1/a', join('s1', 'alice'));
  await bench.report('edge-1/a', { kind: 'drop', room: 'general', session: 's1', user: 'alice' });
  for (let other = 0; other < 40; other++) await bench.report('edge-1/a', join(`o${other}`, `other-${other}`));
  await bench.report('edge-1/a', join('s2', 'alice'));
  bench.advance(2 * GRACE_MS);
  bench.start('p1');
  await eventually(() => bench.heard.some(({ sessions }) => sessions?.includes('s2')));
  expect(bench.heard.filter(({ type }) => type === 'user_left')).toEqual([]);
});

test('a partition gets its new owner within seconds when the handover call is lost', async () => {
  const bench = new OwnerBench({ partitions: 4 });
  let isLost = true;
  const first = bench.start('p1', {
    store: withFault(bench.store, {
      async release(claim) {
        if (isLost) {
          isLost = false;
          throw UNAVAILABLE;
        }
        await bench.store.release(claim);
      },
    }),
  });
  await eventually(() => first.owned.size === 4);
  let polls = 0;
  const second = bench.start('p2', {
    instanceLeases: withFault(bench.instanceLeases, {
      async renew(instance) {
        const { nowMs, ...membership } = await bench.instanceLeases.renew(instance);
        return { ...membership, nowMs: nowMs + (polls++ === 0 ? 0 : INSTANCE_LEASE_MS + 1) }; // Later calls see an expired lease.
      },
    }),
  });
  await eventually(() => first.owned.size === 2 && second.owned.size === 2, { describe: 'each owns its half' });
});

test('an instance that lost its partition does not overwrite the online count of the next owner', async () => {
  const bench = new OwnerBench();
  const counter = bench.onlineCounter;
  let release: () => void = () => {};
  const gate = new Promise<void>(resolve => {
    release = resolve;
  });
  cleanup(async () => release());
  const totals: number[] = [];
  let isWriting = false;
  bench.start('p1', {
    onlineCounter: withFault(counter, {
      async write(counts) {
        isWriting = true;
        await gate;
        await counter.write(counts);
        totals.push(await counter.total());
      },
    }),
  });
  await eventually(() => isWriting);
  bench.advance(INSTANCE_LEASE_MS); // The first instance pauses in the middle of a round.
  await bench.report('edge-1/a', { kind: 'connect', session: 's1', user: 'alice' });
  bench.start('p2');
  await eventually(async () => (await counter.total()) === 1);
  release();
  await eventually(() => totals.length > 0);
  expect(totals[0]).toBe(1);
});

test('edges that could not renew during an outage are not declared dead when it ends', async () => {
  const bench = new OwnerBench();
  let isAway = false;
  const owner = bench.start('p1', {
    instanceLeases: withFault(bench.instanceLeases, {
      async renew(instance) {
        if (isAway) throw UNAVAILABLE;
        return await bench.instanceLeases.renew(instance);
      },
    }),
  });
  await eventually(() => owner.owned.size === 1);
  await bench.nodeLeases.register('edge-1/a');
  await bench.report('edge-1/a', join('s1', 'alice'));
  await eventually(() => bench.heard.some(({ type }) => type === 'user_joined'));
  isAway = true;
  await eventually(() => !owner.healthy);
  bench.advance(2 * bench.nodeLeases.leaseMs);
  isAway = false;
  await eventually(() => owner.healthy);
  expect(await bench.nodeLeases.renew('edge-1/a')).toBeDefined();
});

test('deadlines write whole milliseconds into lifecycle events, as readers of the stream require', async () => {
  const bench = new OwnerBench();
  let written = '';
  bench.start('p1', {
    store: withFault(bench.store, {
      async commit(...args) {
        written += JSON.stringify(args);
        return await bench.store.commit(...args);
      },
    }),
  });
  await bench.report('edge-1/a', join('s1', 'alice'));
  await eventually(() => bench.heard.some(({ type }) => type === 'user_joined'));
  await bench.report('edge-1/a', { kind: 'drop', room: 'general', session: 's1', user: 'alice' });
  await eventually(() => bench.store.hash(0, 'room:general').get('alice')?.includes('"l":'));
  bench.advance(2 * GRACE_MS);
  await eventually(() => written.includes('room_vacated'));
  expect(written.match(/"room_vacated"[^}]*"atMs":\d+[,}]/)).not.toBeNull();
});

test('an edge whose reports presence does not read loses its lease, once a minute, and no other edge does', async () => {
  const bench = new OwnerBench();
  let polls = 0;
  const owner = bench.start('p1', {
    nodeLeases: withFault(bench.nodeLeases, {
      async wireVersions() {
        polls++;
        return await bench.nodeLeases.wireVersions();
      },
    }),
  });
  await eventually(() => owner.owned.size === 1);
  const appendUnreadable = async (incarnation: string) => {
    await bench.nodeLeases.register(incarnation);
    await bench.log.append([{ partition: 0, text: JSON.stringify([WIRE_VERSION + 1, incarnation]) }]);
  };
  const holdsLease = async (incarnation: string) => (await bench.nodeLeases.renew(incarnation)) !== undefined;
  await bench.nodeLeases.register('edge-1/a');
  await appendUnreadable('edge-2/a');
  await eventually(async () => !(await holdsLease('edge-2/a')));
  await appendUnreadable('edge-2/b');
  const seen = polls;
  await eventually(() => polls >= seen + 3);
  expect([await holdsLease('edge-1/a'), await holdsLease('edge-2/b')]).toEqual([true, true]);
  bench.advance(UNREAD_RESYNC_MS);
  await eventually(async () => !(await holdsLease('edge-2/b')));
});

test('the version that all instances read is decided upon: one of the first release brings it down', async () => {
  const bench = new OwnerBench();
  const reads: Array<number | undefined> = [];
  const nodeLeases = withFault(bench.nodeLeases, {
    async reap(presenceReads) {
      reads.push(presenceReads);
      return await bench.nodeLeases.reap(presenceReads);
    },
  });
  bench.start('p1.v2', { nodeLeases });
  bench.start('p2.v3', { nodeLeases });
  await eventually(() => reads.length > 0);
  expect(new Set(reads)).toEqual(new Set([2]));
  bench.start('p3', { nodeLeases });
  await eventually(() => reads.at(-1) === 1);
});
