/** The log: JSON lines on stdout, or readable lines where a person watches. */
import { type DestinationStream, pino } from 'pino';
import { PinoPretty } from 'pino-pretty';

type Log = (fields: object, message: string) => void;

export interface Logger {
  /** `undefined` while the level is off: then `log.debug?.(…)` builds nothing. */
  readonly debug?: Log | undefined;
  readonly info: Log;
  readonly warn: Log;
  readonly error: Log;
}

/** The logger of a process. Shutdown flushes it. */
export interface ProcessLogger extends Logger {
  flush(done: () => void): void;
}

export interface LoggerOptions {
  readonly level: string;
  /** Which process speaks: `edge`, `presence`, `hubbub`. */
  readonly process: string;
  readonly nodeId: string;
}

/** The most bytes that wait for the reader of stdout; further lines are dropped. */
const WAITING_MAX_BYTES = 1024 * 1024;

/** Time is RFC 3339, level a word: readable by people and by every collector. */
export function createLogger({ level, process: name, nodeId }: LoggerOptions): ProcessLogger {
  const options = {
    level,
    base: { process: name, nodeId },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const output = process.stdout.isTTY
    ? PinoPretty({ ignore: 'pid,hostname,process,nodeId,event', translateTime: 'HH:MM:ss', singleLine: true })
    : standardOutput(dropped =>
        log.warn({ event: 'log_lines_dropped', dropped }, 'log lines were dropped, because the log was not read'),
      );
  const log = pino(options, output);
  return {
    debug: log.isLevelEnabled('debug') ? log.debug.bind(log) : undefined,
    info: log.info.bind(log),
    warn: log.warn.bind(log),
    error: log.error.bind(log),
    flush: log.flush.bind(log),
  };
}

/**
 * Writes each line immediately and never waits for the reader. pino's own destination writes in a thread: a full pipe blocks that
 * thread, and Node waits for it in `process.exit`.
 * @param onDropped called with the number of dropped lines when the reader has caught up
 */
function standardOutput(onDropped: (lines: number) => void): DestinationStream & { flush(done: () => void): void } {
  const { stdout } = process;
  // A reader that has gone, or a full disk, must not end the process.
  if (!stdout.listeners('error').includes(ignore)) stdout.on('error', ignore);
  let dropped = 0;
  return {
    write(line) {
      if (stdout.writableLength > WAITING_MAX_BYTES) {
        dropped++;
        return;
      }
      if (dropped > 0) {
        const lines = dropped;
        dropped = 0;
        onDropped(lines);
      }
      stdout.write(line);
    },
    flush: done => void stdout.write('', () => done()),
  };
}

function ignore(): void {}

/**
 * Lets a log call through at most once per `intervalMs`, with the number of calls that were held back since. It limits
 * the log lines that bad input could repeat a thousand times a second.
 */
export function occasionally<Facts extends unknown[]>(
  intervalMs: number,
  log: (suppressed: number, ...facts: Facts) => void,
  now: () => number = Date.now,
): (...facts: Facts) => void {
  let nextAtMs = 0;
  let suppressed = 0;
  return (...facts) => {
    if (now() < nextAtMs) {
      suppressed++;
      return;
    }
    nextAtMs = now() + intervalMs;
    log(suppressed, ...facts);
    suppressed = 0;
  };
}
