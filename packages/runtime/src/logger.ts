/** The log: JSON lines on stdout, or readable lines where a person watches. */
import { type Logger, pino } from 'pino';
import { PinoPretty } from 'pino-pretty';

export type { Logger };

export interface LoggerOptions {
  readonly level: string;
  /** Which process speaks: `edge`, `presence`, `hubbub`. */
  readonly process: string;
  readonly nodeId: string;
}

/** Time is RFC 3339, level a word: readable by people and by every collector. */
export function createLogger({ level, process: name, nodeId }: LoggerOptions): Logger {
  const options = {
    level,
    base: { process: name, nodeId },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  // Each line at once, and never waited for: a log that nobody reads must not hold up who speaks. With a least length of 0 a `flush`
  // would not wait for what is on its way.
  if (!process.stdout.isTTY) return pino(options, pino.destination({ dest: 1, minLength: 1, sync: false }));
  return pino(
    options,
    PinoPretty({ ignore: 'pid,hostname,process,nodeId,event', translateTime: 'HH:MM:ss', singleLine: true }),
  );
}

/**
 * Lets a log call through at most once per `intervalMs`, and tells it how many were held back since: for what bad input
 * could otherwise repeat a thousand times a second.
 */
export function occasionally(
  intervalMs: number,
  log: (suppressed: number) => void,
  now: () => number = Date.now,
): () => void {
  let nextAtMs = 0;
  let suppressed = 0;
  return () => {
    if (now() < nextAtMs) {
      suppressed++;
      return;
    }
    nextAtMs = now() + intervalMs;
    log(suppressed);
    suppressed = 0;
  };
}
