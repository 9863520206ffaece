/** The thread of `LeaseThread`: renews a lease that the event loop of its process is late to renew. */
import { parentPort, workerData } from 'node:worker_threads';
import { LeaseTimes, sharedNowMs } from './lease-times.js';
import { openRedisTopology } from './open-topology.js';
import type { RedisCertificates } from './redis-certificates.js';
import { RedisNodeLeases } from './redis-node-leases.js';

export interface LeaseThreadData {
  readonly url: string;
  readonly prefix: string;
  readonly leaseMs: number;
  readonly commandTimeoutMs: number;
  readonly certificates?: RedisCertificates | undefined;
  /** The memory of `LeaseTimes`. */
  readonly times: SharedArrayBuffer;
}

/** The share of the lease after which the thread renews: one renewal of the event loop is overdue. */
const LATE_PART = 3 / 8;
const CHECKS_PER_LEASE = 16;
/** An event loop that does not turn for this many leases is frozen: its edge must count as dead. */
export const FROZEN_LEASES = 2;

const { url, prefix, leaseMs, commandTimeoutMs, certificates, times: shared } = workerData as LeaseThreadData;
const times = new LeaseTimes(shared);
const onError = ({ message }: Error): void => parentPort?.postMessage(message);
const redis = openRedisTopology(url, { commandTimeoutMs, onError, ...(certificates && { certificates }) });
const leases = new RedisNodeLeases({ redis, prefix, leaseMs });
let incarnation = '';

parentPort?.on('message', (message: string) => {
  incarnation = message;
});

setInterval(() => {
  const nowMs = sharedNowMs();
  if (nowMs - times.turnedAtMs > FROZEN_LEASES * leaseMs) return;
  if (incarnation !== '' && nowMs - times.renewedAtMs > LATE_PART * leaseMs) void renew(nowMs);
}, leaseMs / CHECKS_PER_LEASE);

async function renew(askedAtMs: number): Promise<void> {
  // Unanswered or fenced: the event loop finds out when it turns.
  const version = await leases.renew(incarnation).catch(() => undefined);
  if (version === undefined) return;
  times.noteRenewal(askedAtMs);
  times.countRenewal();
}
