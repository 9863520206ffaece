/** The output of a process: lines for failure texts, and JSON log lines to wait for. */
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { PATIENCE_MS } from './eventually.js';
import { describeMatch, type Match, matches } from './matching.js';

export interface LogLine {
  readonly [field: string]: unknown;
}

export type Source = 'stdout' | 'stderr';

/** @param log the line as an object, if it is one */
export type LineListener = (line: string, log: LogLine | undefined, source: Source) => void;

const TAIL_LINES = 30;
/** Lines that a long run keeps; far more than a test's process writes. */
const LINES_KEPT = 50_000;

export class ProcessOutput {
  /** The last lines of stdout and stderr, in reading order. */
  readonly lines: string[] = [];
  /** Those that are JSON objects. */
  readonly logs: LogLine[] = [];
  readonly #listeners = new Set<LineListener>();

  read(stream: Readable, source: Source = 'stdout'): void {
    createInterface({ input: stream }).on('line', line => this.add(line, source));
  }

  add(line: string, source: Source): void {
    const log = parseLog(line);
    this.lines.push(line);
    if (log !== undefined) this.logs.push(log);
    for (const list of [this.lines, this.logs]) if (list.length > 2 * LINES_KEPT) list.splice(0, LINES_KEPT);
    for (const listener of this.#listeners) listener(line, log, source);
  }

  /** Passes every later line to the listener. */
  onLine(listener: LineListener): void {
    this.#listeners.add(listener);
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
        this.#listeners.delete(look);
        clearTimeout(timer);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.#listeners.delete(look);
        reject(new Error(`No log line ${describeMatch(match)} within ${withinMs} ms. Last output:\n${this.tail()}`));
      }, withinMs);
      this.#listeners.add(look);
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
