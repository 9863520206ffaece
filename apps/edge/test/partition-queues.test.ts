/** The backlog between an edge and presence, as the answers of the log show it. */
import type { AppendResult } from '@hubbub/broker';
import { expect, test } from 'vitest';
import { PartitionQueues } from '../src/presence/partition-queues.js';

const found = (oldestAgeMs: number): AppendResult => ({ partition: 0, taken: true, fill: 0.001, oldestAgeMs });

test('an edge that appends rarely does not take its own silence for a late presence', () => {
  const queues = new PartitionQueues(1);
  queues.settle([found(900)], 10_000);
  queues.settle([found(300)], 13_000); // Presence has removed entries.
  expect(queues.backlog(13_000).lagMs).toBe(300);
  expect(queues.backlog(17_500).lagMs, 'no append since').toBe(300);
});

test('a presence that falls behind is seen with each append', () => {
  const queues = new PartitionQueues(1);
  queues.settle([found(900)], 10_000);
  queues.settle([found(1500)], 11_000);
  queues.settle([found(2000)], 12_000);
  expect(queues.backlog(12_000).lagMs).toBe(2000);
});
