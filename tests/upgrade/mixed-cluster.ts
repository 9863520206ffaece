/** Edges and presence of the previous release and of this one, in one cluster. */
import {
  type Edge,
  type Environment,
  edgeOf,
  FREE_PORTS,
  type HubbubProcess,
  readMetrics,
  TEST_JWT_SECRET,
} from '@hubbub/tools/kit';
import { expect } from 'vitest';
import { startCluster } from '../support/cluster.js';
import { startProcess } from '../support/process.js';
import { unpackPreviousRelease } from './previous-release.js';

export type Release = 'previous' | 'new';

const UNREAD = [
  'hubbub_edge_malformed_envelopes_total',
  'hubbub_edge_unsupported_envelopes_total',
  'hubbub_presence_malformed_reports_total',
  'hubbub_presence_unsupported_reports_total',
];

/** @param env of every process */
export async function startMixedCluster(env: Environment) {
  const previous = unpackPreviousRelease();
  const cluster = await startCluster({ edges: 0, presence: 0, env });
  const started: HubbubProcess[] = [];
  const ended = new Set<HubbubProcess>();
  const living = (): HubbubProcess[] => started.filter(process => !ended.has(process));

  async function start(role: string, release: Release, more: Environment = {}): Promise<HubbubProcess> {
    const name = `${role}-${started.length + 1}-${release}`;
    const process = await startProcess([role], {
      name,
      env: {
        ...FREE_PORTS,
        ...env,
        HUBBUB_JWT_SECRET: TEST_JWT_SECRET,
        HUBBUB_REDIS_URL: cluster.redis.url,
        HUBBUB_REDIS_PREFIX: cluster.redis.prefix,
        HUBBUB_NODE_ID: name,
        ...more,
      },
      ...(release === 'previous' && { script: previous }),
    });
    started.push(process);
    return process;
  }

  /** Every process could read what the others wrote. */
  async function expectNothingUnread(): Promise<void> {
    for (const process of living()) {
      const metrics = await readMetrics(process);
      const counts = UNREAD.flatMap(name => metrics.get(name) ?? []);
      expect(counts.length, process.name).toBeGreaterThan(0);
      expect(
        counts.filter(count => count > 0),
        process.name,
      ).toEqual([]);
    }
  }

  return {
    cluster,
    living,
    expectNothingUnread,
    async startEdge(release: Release): Promise<Edge> {
      const process = await start('edge', release);
      return edgeOf(process.name, process);
    },
    startPresence: (release: Release, more?: Environment) => start('presence', release, more),
    /** Ends a process in good order, after everything that it wrote could be read. */
    async stop(process: HubbubProcess): Promise<void> {
      await expectNothingUnread();
      ended.add(process);
      expect(await process.kill('SIGTERM')).toMatchObject({ code: 0 });
    },
  };
}
