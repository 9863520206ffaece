/** Presence in one process, as `hubbub start` runs it. */
import { MemoryExchange, MemoryNodeLeases, MemoryOnlineCounter, MemoryReportLog } from '@hubbub/broker';
import { Channels } from '@hubbub/protocol';
import { createMetricsRegistry } from '@hubbub/runtime';
import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { cleanup } from '../../../tests/support/cleanup.js';
import { SILENT } from '../../../tests/support/silent-logger.js';
import { createMemoryPresence } from '../src/memory/memory-presence.js';
import { EdgeDouble, type HeardFrame, readEnvelope } from './support/edge-double.js';

test('reports joins, rosters, leaves and the count without Redis', async () => {
  const exchange = new MemoryExchange();
  const [publisher, ear] = [exchange.connect(), exchange.connect()];
  const heard: HeardFrame[] = [];
  ear.onEnvelope((channel, envelope) => heard.push(readEnvelope(channel, envelope)));
  const channels = new Channels('hubbub');
  await ear.subscribe(channels.room('general'));
  await ear.subscribe(channels.node('edge-1'));
  const log = new MemoryReportLog();
  const nodeLeases = new MemoryNodeLeases();
  const onlineCounter = new MemoryOnlineCounter();
  const metrics = createMetricsRegistry();
  const presence = createMemoryPresence({
    prefix: 'hubbub',
    log,
    nodeLeases,
    onlineCounter,
    logger: SILENT,
    metrics,
    publish: (channel, envelope) => void publisher.publish(channel, envelope),
  });
  cleanup(() => presence.close());
  await eventually(() => presence.partitionsOwned === 16);

  const edge = new EdgeDouble('edge-1', log, nodeLeases);
  await edge.live();
  cleanup(() => edge.die());
  await edge.join('s1', 'alice', 'general');
  await edge.join('s2', 'bob', 'general');
  await eventually(() => heard.filter(frame => frame.type === 'user_joined').length === 2);
  await eventually(() => heard.some(frame => frame.type === 'room_info' && frame.payload.count === 2));
  await edge.report({ kind: 'leave', room: 'general', session: 's1', user: 'alice' });
  await eventually(() => heard.some(frame => frame.type === 'user_left'));
  await eventually(async () => (await onlineCounter.total()) === 2);
  const text = await metrics.metrics();
  expect(text).toContain('hubbub_presence_reports_applied_total 7');
  expect(text).toContain('hubbub_presence_partitions_owned 16');
});

test('a closed instance hands over to the next', async () => {
  const parts = {
    log: new MemoryReportLog(),
    nodeLeases: new MemoryNodeLeases(),
    onlineCounter: new MemoryOnlineCounter(),
  };
  const options = { prefix: 'hubbub', ...parts, logger: SILENT, publish: () => {} };
  const first = createMemoryPresence({ ...options, metrics: createMetricsRegistry() });
  await eventually(() => first.healthy);
  await first.close();
  expect(first.partitionsOwned).toBe(0);
});
