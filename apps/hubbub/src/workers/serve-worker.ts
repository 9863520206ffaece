/** The worker's side: an edge without an admin port, which answers its parent and does not outlive it. */
import { onShutdownSignal, readMetrics } from '@hubbub/runtime';
import { loadParts, type ProcessParts, type RunningProcess } from '../process.js';
import type { ParentMessage, WorkerMessage } from './worker.js';

export async function serveAsWorker(start: (parts: ProcessParts) => Promise<RunningProcess>): Promise<void> {
  if (process.send === undefined) throw new Error('--as-worker is internal; use: hubbub edge --workers N');
  // The parent replaces workers on SIGHUP; systemd can send it to every process (SendSIGHUP=).
  process.on('SIGHUP', () => {});
  const parts = await loadParts('edge');
  const { config, log, metrics, tracing } = parts;
  const running = await start(parts);
  let announced = true;
  const shutdown = onShutdownSignal(log, {
    timeoutMs: config.shutdownTimeoutMs,
    // The parent asks.
    interruptible: false,
    async close() {
      await running.close(announced);
      await tracing.close();
    },
  });
  const orphaned = (): void => {
    announced = false;
    shutdown.begin('the parent is gone');
  };
  const tell = (message: WorkerMessage): void => {
    // `disconnect` reports a channel that has just broken.
    if (process.connected) process.send?.(message, undefined, undefined, () => {});
  };
  process.on('disconnect', orphaned);
  process.on('message', async (message: ParentMessage) => {
    if (message.kind === 'leave') {
      announced = message.announced;
      shutdown.begin('the parent asked');
      return;
    }
    const { number, about } = message;
    tell({ kind: 'answer', number, answer: about === 'readiness' ? running.readiness() : await readMetrics(metrics) });
  });
  if (!process.connected) return orphaned();
  tell({ kind: 'up' });
}
