/** What a process has said: lines for failures, JSON log lines to wait for. */

import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { PATIENCE_MS } from './eventually.js';
import { describeMatch, type Match, matches } from './matching.js';

export interface LogLine {
  readonly [field: string]: unknown;
}

const TAIL_LINES = 30;

export class ProcessOutput {
  /** Everything on stdout and stderr, in the order it was read. */
  readonly lines: string[] = [];
  /** The lines that are JSON objects. */
  readonly logs: LogLine[] = [];
  readonly #waiting = new Set<() => void>();

  read(stream: Readable): void {
    createInterface({ input: stream }).on('line', line => {
      this.lines.push(line);
      const log = parseLog(line);
      if (log !== undefined) this.logs.push(log);
      for (const look of this.#waiting) look();
    });
  }

  /** The last lines, for an error text. */
  tail(): string {
    return this.lines.length === 0 ? '(it said nothing)' : this.lines.slice(-TAIL_LINES).join('\n');
  }

  /** Resolves with the first log line that matches, also when it was there already. */
  waitForLog(match: Match<LogLine>, { withinMs = PATIENCE_MS } = {}): Promise<LogLine> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.logs.find(log => matches(log, match));
        if (found === undefined) return;
        this.#waiting.delete(look);
        clearTimeout(timer);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        reject(new Error(`No log line ${describeMatch(match)} within ${withinMs} ms. It said last:\n${this.tail()}`));
      }, withinMs);
      this.#waiting.add(look);
      look();
    });
  }
}

function parseLog(line: string): LogLine | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // A line for people that happens to begin like JSON.
  }
}
