/** Times that depend on each other: each relation names the failure without it. */
import { REGISTRY_TTL_MS } from '@hubbub/broker';
import { loadConfig } from '@hubbub/config';
import { expect, test } from 'vitest';
import { RECONNECT_MAX_DELAY_MS } from '../../../packages/broker/src/redis/connection.js';
import { RENEWALS_PER_LEASE, RETRY_MAX_MS } from '../../edge/src/presence/held-lease.js';
import { SUBSCRIPTION_WAIT_MS } from '../../edge/src/presence/report-courier.js';
import { INSTANCE_LEASE_MS } from '../src/instance-leases.js';
import { META_RENEWAL_MS, RESTORING_MS } from '../src/owned-partition.js';
import { ONLINE_RENEWAL_MS, POLL_MS } from '../src/owner.js';
import { RESYNC_MS } from '../src/partition/departures.js';
import { GONE_REMEMBERED_MS } from '../src/partition/incarnations.js';
import { HASH_RENEWAL_MS, PARTITION_TTL_MS } from '../src/partition-store.js';

/** The highest `HUBBUB_NODE_LEASE_MS`. */
const LONGEST_NODE_LEASE_MS = 60_000;

test.each([
  ['a partition survives a renewal that fails', META_RENEWAL_MS, PARTITION_TTL_MS / 2],
  [
    'a partition is lost before any of its rows expires',
    HASH_RENEWAL_MS + PARTITION_TTL_MS + META_RENEWAL_MS,
    REGISTRY_TTL_MS,
  ],
  ['the count of who is online survives renewals that fail', ONLINE_RENEWAL_MS, REGISTRY_TTL_MS / 2],
  ['an instance survives a renewal that fails', POLL_MS, INSTANCE_LEASE_MS / 2],
  [
    'an edge is back after an outage before its users leave',
    RECONNECT_MAX_DELAY_MS + RETRY_MAX_MS + SUBSCRIPTION_WAIT_MS,
    RESYNC_MS,
  ],
  [
    'after a loss every edge resyncs before its sessions count as joins',
    LONGEST_NODE_LEASE_MS / RENEWALS_PER_LEASE + RESYNC_MS,
    RESTORING_MS,
  ],
  ['a report of a dead edge cannot outlive the memory of its death', 10 * LONGEST_NODE_LEASE_MS, GONE_REMEMBERED_MS],
])('%s', (_, shorterMs, longerMs) => {
  expect(shorterMs).toBeLessThan(longerMs);
});

test('the settings refuse a lease of an edge that is longer than these relations assume', () => {
  const load = (leaseMs: number) => loadConfig({ HUBBUB_NODE_LEASE_MS: String(leaseMs) });
  expect(load(LONGEST_NODE_LEASE_MS).nodeLeaseMs).toBe(LONGEST_NODE_LEASE_MS);
  expect(() => load(LONGEST_NODE_LEASE_MS + 1)).toThrow('HUBBUB_NODE_LEASE_MS');
});
