/** The rounds of an owner whose store restarts or fails over, perhaps with older data. */
import { MemoryReportLog, type ReportLog } from '@hubbub/broker';
import { encodeReports, type Report } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { INSTANCE_LEASE_MS } from '../src/instance-leases.js';
import type { Owner } from '../src/owner.js';
import { OwnerBench, withFault } from './support/owner-bench.js';

const EDGE = 'edge-1/a';
const join = (session: string, user: string) => ({ kind: 'join', room: 'general', session, user, name: user }) as const;

/** Stores that change their term together, and a log that can be replaced. */
class Server {
  term = 'first';
  log: ReportLog = new MemoryReportLog();
  /** Instances that a restored set of leases names. */
  restored: string[] = [];
  /** Commits to refuse, as a server of another term does. */
  refusals = 0;
  readonly calls: string[] = [];
  readonly #bench: OwnerBench;

  constructor(bench: OwnerBench) {
    this.#bench = bench;
  }

  start(instance: string): Owner {
    const { store, instanceLeases, nodeLeases } = this.#bench;
    return this.#bench.start(instance, {
      log: {
        append: entries => this.log.append(entries),
        read: (positions, options) => this.log.read(positions, options),
        trim: (partition, position) => this.log.trim(partition, position),
        end: partition => this.log.end(partition),
      },
      store: withFault(store, {
        claim: async (...args) => {
          const claim = await store.claim(...args);
          return claim && { ...claim, term: this.term };
        },
        commit: async (claim, commit) => {
          if (claim.term !== this.term) return false;
          if (commit.publications.length > 0 && this.refusals > 0) {
            this.refusals--;
            this.term = 'later';
            return false;
          }
          this.calls.push('commit');
          return await store.commit(claim, commit);
        },
      }),
      instanceLeases: withFault(instanceLeases, {
        renew: async name => {
          const { living, ...membership } = await instanceLeases.renew(name);
          return { ...membership, living: [...living, ...this.restored].sort(), term: this.term };
        },
      }),
      nodeLeases: withFault(nodeLeases, {
        fenceAll: async () => {
          this.calls.push('fence');
          await nodeLeases.fenceAll();
        },
      }),
    });
  }

  async report(...reports: Report[]): Promise<void> {
    await this.log.append([{ partition: 0, text: encodeReports({ incarnation: EDGE, reports }) }]);
  }
}

const joinsOf = ({ heard }: OwnerBench) =>
  heard.flatMap(({ type, payload }) => (type === 'user_joined' ? [(payload.user as { id: string }).id] : []));

test('an idle owner notices another term, and fences every edge before its next commit', async () => {
  const bench = new OwnerBench();
  const server = new Server(bench);
  const owner = server.start('p1');
  await eventually(() => owner.owned.size === 1);
  await bench.nodeLeases.register(EDGE);
  server.calls.length = 0;
  server.term = 'second';
  await eventually(() => server.calls.includes('commit'));
  expect(server.calls.slice(0, 2)).toEqual(['fence', 'commit']);
  expect(await bench.nodeLeases.renew(EDGE)).toBeUndefined();
});

test('a join that the store refused because of its new term is announced after the next claim, once', async () => {
  const bench = new OwnerBench();
  const server = new Server(bench);
  server.start('p1');
  await server.report(join('s1', 'alice'));
  await eventually(() => joinsOf(bench).length === 1);
  server.refusals = 1;
  await server.report(join('s2', 'bob'));
  await eventually(() => joinsOf(bench).length > 1);
  expect(bench.store.hash(0, 'room:general').has('bob')).toBe(true);
  await server.report(join('s3', 'carol'));
  await eventually(() => joinsOf(bench).includes('carol'));
  expect(joinsOf(bench)).toEqual(['alice', 'bob', 'carol']);
});

test('reports are read although the log of the new term is shorter than that of the former one', async () => {
  const bench = new OwnerBench();
  const server = new Server(bench);
  server.start('p1');
  for (const user of ['alice', 'bob', 'carol']) {
    await server.report(join(user, user));
    await eventually(() => joinsOf(bench).includes(user));
  }
  server.log = new MemoryReportLog();
  server.term = 'second';
  await eventually(() => server.calls.filter(call => call === 'fence').length === 2);
  await server.report(join('s4', 'dave'));
  await eventually(() => joinsOf(bench).includes('dave'));
  expect(joinsOf(bench)).toEqual(['alice', 'bob', 'carol', 'dave']);
});

test('partitions stay with their owner until restored leases of instances have expired', async () => {
  const bench = new OwnerBench({ partitions: 4 });
  const server = new Server(bench);
  const owner = server.start('p1');
  await eventually(() => owner.owned.size === 4);
  server.restored = ['p0'];
  server.term = 'second';
  await eventually(() => server.calls.filter(call => call === 'fence').length === 2);
  await eventually(() => owner.owned.size === 4);
  const polls = server.calls.length;
  await server.report(join('s1', 'alice'));
  await eventually(() => server.calls.length > polls);
  expect(owner.owned.size).toBe(4);
  bench.advance(INSTANCE_LEASE_MS);
  await eventually(() => owner.owned.size === 2, { describe: 'a living instance gets its share later' });
});
