/** The story of a replaced cluster: clients behind networks that lead to other edges, and a witness who sees each member leave. */
import { HubbubClient } from '@hubbub/client';
import { eventually } from '@hubbub/tools/kit';
import { expect } from 'vitest';
import { historyEnvironment, NumberedStream } from '../faults/numbered-stream.js';
import { cleanup } from '../support/cleanup.js';
import type { TestCluster } from '../support/cluster.js';
import { startTcpProxy } from '../support/tcp-proxy.js';

const ROOMS = ['kept:red', 'kept:blue'];

/** Settings of the processes: rooms with history, and short drains. */
export function replacementEnvironment(): Record<string, string> {
  return { ...historyEnvironment(), HUBBUB_DRAIN_WINDOW_MS: '2000' };
}

/** Three members and a stream of numbered messages behind each edge's network. The first one has the publisher, the second one the witness. */
export async function startReplacementStory(
  cluster: TestCluster,
  edges: ReadonlyArray<{ readonly process: { readonly port: number } }>,
) {
  const networks = await Promise.all(edges.map(({ process }) => startTcpProxy({ to: process.port })));
  const urls = networks.map(({ port }) => `ws://127.0.0.1:${port}/ws`);
  const members = urls.flatMap((url, edge) => [1, 2, 3].map(n => ({ name: `member-${edge + 1}-${n}`, url })));
  const stream = await NumberedStream.start(cluster, {
    rooms: ROOMS,
    members,
    publisherUrl: urls[0] ?? '',
    everyMs: 25,
  });
  const witness = new HubbubClient({ url: urls[1] ?? '', token: cluster.token({ user: 'witness' }) });
  cleanup(() => witness.close());
  const left: string[] = [];
  const room = witness.room('kept:red');
  room.on('user_left', ({ payload }) => left.push(payload.user.id));
  await witness.connect();
  await room.join();
  await eventually(() => room.roster.count === members.length + 2, { describe: 'all are in the roster' });

  return {
    networks,
    messagesFlow: () => stream.flows(20),
    async expectNoLoss(): Promise<void> {
      await stream.end();
      expect(stream.violations()).toEqual([]);
      expect(stream.gaps()).toEqual([]);
      expect(ROOMS.map(name => stream.lost(name))).toEqual([0, 0]);
      expect(stream.refused).toEqual([]);
      expect(left).toEqual([]);
      expect(room.roster.count).toBe(members.length + 2);
    },
  };
}
