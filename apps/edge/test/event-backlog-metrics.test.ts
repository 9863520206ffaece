/** The metrics of pending client events. */
import { type EventBacklog, MemoryCluster } from '@hubbub/broker';
import { namespaceSettings } from '@hubbub/config';
import { createMetricsRegistry } from '@hubbub/runtime';
import { expect, test } from 'vitest';
import { createEventBacklogMetrics } from '../src/services/event-backlog-metrics.js';

const WITH_EVENTS = { ...namespaceSettings({}, 'game'), events: ['*'] };

async function notice(backlog: (namespace: string) => Promise<EventBacklog>): Promise<string[]> {
  const registry = createMetricsRegistry();
  createEventBacklogMetrics(registry, { backlog }, { game: WITH_EVENTS, chat: namespaceSettings({}, 'chat') });
  const text = await registry.metrics();
  return text.split('\n').filter(line => line.startsWith('hubbub_edge_events_'));
}

test('reports pending events by namespace and group, for namespaces that take events', async () => {
  const { events } = new MemoryCluster().open();
  const event = {
    ...{ type: 't', id: '1', payload: {}, user: { id: 'u', name: 'U' } },
    ...{ session: { id: 's', node: 'n' }, rooms: [], atMs: 1 },
  };
  for (const namespace of ['game', 'game', 'chat']) {
    await events.append({ namespace, event, maxLength: 10, ttlMs: 60_000 });
  }
  const group = events.group('game', 'referee');
  await group.hold('r1', 1000);
  const [entry] = await group.read('r1', { limit: 10, waitMs: 0 });
  await group.acknowledge('r1', [entry?.entryId ?? '']);
  expect(await notice(namespace => events.backlog(namespace))).toEqual([
    'hubbub_edge_events_in_log{namespace="game"} 2',
    'hubbub_edge_events_waiting{namespace="game",group="referee"} 1',
  ]);
});

test('while Redis is unreachable the backlog has no value, and the other metrics are reported', async () => {
  expect(await notice(() => Promise.reject(new Error('away')))).toEqual([]);
});
