/** The output of a process: lines for failure texts, and JSON log lines to wait for. */

import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { PATIENCE_MS } from './eventually.js';
import { describeMatch, type Match, matches } from './matching.js';

export interface LogLine {
  readonly [field: string]: unknown;
}

const TAIL_LINES = 30;

export class ProcessOutput {
  /** All lines of stdout and stderr, in reading order. */
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
    return this.lines.length === 0 ? '(no output)' : this.lines.slice(-TAIL_LINES).join('\n');
  }

  /** Resolves with the first log line that matches, even an earlier one. */
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
        reject(new Error(`No log line ${describeMatch(match)} within ${withinMs} ms. Last output:\n${this.tail()}`));
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
    return undefined; // Plain text that begins like JSON.
  }
}
