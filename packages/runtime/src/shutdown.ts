/** Orderly shutdown: the first signal asks, the second one insists, and a timeout ends the wait. */
import { constants } from 'node:os';
import type { ProcessLogger } from './logger.js';

export interface Shutdown {
  /** Begins as the first signal does. A second call changes nothing. */
  begin(reason: string): void;
}

export interface ShutdownOptions {
  /** The process ends after this time, done or not. */
  readonly timeoutMs: number;
  /**
   * Whether SIGINT means it too. Not for a process with a parent that sees to it: Ctrl-C reaches all processes of the
   * terminal. Default true.
   */
  readonly interruptible?: boolean;
  close(): Promise<void>;
  /** Just before the process ends without having been closed: on the second signal, or when the time is over. */
  abandon?(): void;
}

const LAST_WORDS_WITHIN_MS = 1000;

/**
 * Runs `close` on SIGTERM or SIGINT and then ends the process. The exit code is 0 on success, and 1 on failure or after
 * `timeoutMs`. A second signal ends it immediately, with 128 and the signal's number as shells report it (143 for SIGTERM).
 */
export function onShutdownSignal(log: ProcessLogger, options: ShutdownOptions): Shutdown {
  const { timeoutMs, interruptible = true, close } = options;
  let begun = false;
  let signalled = false;
  /** The reader of the log gets the last lines, if it reads. */
  const leave = (code: number): void => {
    const exit = (): never => process.exit(code);
    setTimeout(exit, LAST_WORDS_WITHIN_MS);
    log.flush(exit);
  };
  const end = (code: number): void => {
    options.abandon?.();
    leave(code);
  };
  const begin = (reason: string): void => {
    if (begun) return;
    begun = true;
    log.info({ event: 'stopping', reason }, `${reason}: stopping`);
    setTimeout(() => {
      log.error({ event: 'stop_timeout', timeoutMs }, 'not stopped in time, ending');
      end(1);
    }, timeoutMs).unref();
    close().then(
      () => {
        log.info({ event: 'stopped' }, 'stopped');
        leave(0);
      },
      error => {
        log.error({ event: 'stop_failed', err: error }, 'stopping failed');
        end(1);
      },
    );
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    if (signalled) end(128 + constants.signals[signal]);
    // Not the second one when the parent has asked before: some supervisors signal parent and children alike.
    signalled = true;
    begin(signal);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', interruptible ? onSignal : () => {});
  return { begin };
}
