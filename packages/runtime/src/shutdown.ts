/** Orderly shutdown: the first signal asks, the second one insists, and a timeout ends the wait. */
import type { Logger } from 'pino';

/**
 * Runs `close` on SIGTERM or SIGINT and then ends the process: with 0 when it went well, 1 when it failed or took longer
 * than `timeoutMs`. A second signal ends it at once with 130.
 */
export function onShutdownSignal(log: Logger, timeoutMs: number, close: () => Promise<void>): void {
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) process.exit(130);
    stopping = true;
    log.info({ event: 'stopping', signal }, `${signal}: stopping; once more to end at once`);
    setTimeout(() => {
      log.error({ event: 'stop_timeout', timeoutMs }, 'not stopped in time, ending');
      process.exit(1);
    }, timeoutMs).unref();
    close().then(
      () => {
        log.info({ event: 'stopped' }, 'stopped');
        process.exit(0);
      },
      error => {
        log.error({ event: 'stop_failed', err: error }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}
