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
  if (!process.stdout.isTTY) return pino(options);
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
