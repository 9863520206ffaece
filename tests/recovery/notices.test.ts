/** Members get each notice of an outage once, and no notice if nothing was lost. */

import { countOf, eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import type { RawClient } from '../support/raw-client.js';
import { startRedis } from '../support/redis.js';
import { enter, joinAt, position, startWithHistory } from './support.js';

const count = (client: RawClient, type: string): number => client.frames.filter(frame => frame.type === type).length;

test('after an outage of Redis each member gets one room_info, and one room_gap per interruption', async () => {
  const redis = await startRedis({ own: true });
  // The first probe after the outage comes late: the silence before it must not count.
  const env = { HUBBUB_PROBE_INTERVAL_MS: '900', HUBBUB_PROBE_TIMEOUT_MS: '1000' };
  const cluster = await startWithHistory({ redis, edges: 1, presence: 1, env });
  const member = await enter(cluster, cluster.edge(0), 'member');
  const room = 'plain:outage';
  await joinAt(member, room);
  await member.nextFrame('room_info');
  let outage = 0;
  // Of several lengths: one of them ends when the silence before it is nearly as long as the timeout.
  for (const outageMs of [1000, 1900, 1450, 2350]) {
    outage++;
    await redis.halt();
    await new Promise(resolve => setTimeout(resolve, outageMs));
    await redis.start();
    await eventually(() => count(member, 'room_info') > outage, {
      describe: 'the roster is restored',
    });
    const says = { type: 'send_message', room, payload: {} };
    await eventually(async () => (await member.ask(says)).type === 'ack');
    await eventually(async () => (await fetch(`${cluster.edge(0).adminUrl}/readyz`)).status === 200);
    // A machine that is slow beyond the probe's timeout adds an interruption, of which members must hear too.
    await eventually(async () => {
      const interruptions = await countOf(cluster.edge(0), 'hubbub_edge_interruptions_total');
      await member.ping();
      return count(member, 'room_gap') === interruptions;
    });
    expect(count(member, 'room_info')).toBe(outage + 1);
  }
});

test('a quiet room with the shortest history lifetime gets no room_gap', async () => {
  const namespaces = { brief: { public: true, historySize: 5, historyTtlMs: 1000 } };
  const env = { HUBBUB_HISTORY_CHECK_INTERVAL_MS: '500' };
  const cluster = await startWithHistory({ edges: 1, namespaces, env });
  const member = await enter(cluster, cluster.edge(0), 'member');
  const room = 'brief:quiet';
  const { epoch } = position(await joinAt(member, room));
  await member.ask({ type: 'send_message', room, payload: {} });
  // Twice the lifetime of the history's position without a reader.
  await new Promise(resolve => setTimeout(resolve, 4500));
  expect(await member.ask({ type: 'send_message', room, payload: {} })).toMatchObject({
    type: 'ack',
    epoch,
    offset: 2,
  });
  expect(count(member, 'room_gap')).toBe(0);
});
