/** hubbub edge --workers N: a parent without clients, N edges on one port, one admin port for all of them. */
import { type AddressInfo, createServer } from 'node:net';
import { listenFailure, onShutdownSignal } from '@hubbub/runtime';
import { startAdminServer } from '@hubbub/runtime/http';
import { adminOptions, loadParts, logWarnings, type ProcessParts } from '../process.js';
import { requireRedis } from '../redis.js';
import { Worker } from './worker.js';
import { WorkerPool } from './worker-pool.js';

/** `-` and a number follow, and all of it is at most 64 bytes. */
const NODE_ID_MAX_BYTES = 60;
/** The least that the setting permits. */
const MIN_BUFFERED_BYTES = 1_048_576;
/** Workers end by themselves within the same time; after so much more they are not waited for. */
const PATIENCE_MS = 3000;

/** Resolves when all workers listen. SIGHUP replaces them one after the other, SIGTERM has them all drain. */
export async function runWorkers(count: number): Promise<ProcessParts> {
  // It has no clients, and traces nothing.
  const parts = await loadParts('edge');
  const { config, log, metrics } = parts;
  requireRedis(config);
  const port = await findSharedPort(config.host, config.port);
  const name = config.nodeId.slice(0, NODE_ID_MAX_BYTES);
  const share = {
    maxSessions: Math.ceil(config.maxSessions / count),
    maxTotalBufferedBytes: Math.max(MIN_BUFFERED_BYTES, Math.ceil(config.maxTotalBufferedBytes / count)),
  };
  const pool = new WorkerPool({ count, log, fork: number => new Worker(number, `${name}-${number}`, port, share) });
  const admin = await startAdminServer({
    ...adminOptions(config, log),
    metrics: { contentType: metrics.contentType, metrics: () => pool.metrics() },
    readiness: () => pool.readiness(),
  });
  onShutdownSignal(log, {
    timeoutMs: config.shutdownTimeoutMs + PATIENCE_MS,
    async close() {
      await pool.close();
      await admin.close();
    },
    abandon: () => pool.abandon(),
  });
  process.on('SIGHUP', () => pool.replaceAll());
  try {
    await pool.start();
  } catch (error) {
    pool.abandon();
    await admin.close();
    throw error;
  }
  log.info(
    { event: 'listening', port, adminPort: admin.port, workers: count },
    `${count} edges are up on port ${port}; admin on http://${config.adminHost}:${admin.port}`,
  );
  logWarnings(parts, true);
  return parts;
}

/**
 * Binds the port alone for a moment, because sharing would hide that another program has it.
 * @throws {Error} that names the reason and what to do
 */
async function findSharedPort(host: string, port: number): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => {
      reject(listenFailure(error, { host, port, hostSetting: 'HUBBUB_HOST', portSetting: 'HUBBUB_PORT' }));
    });
    server.listen({ host, port, exclusive: true }, resolve);
  });
  const found = (server.address() as AddressInfo).port;
  await new Promise(resolve => server.close(resolve));
  return found;
}
