/** Output of commands for people and programs: tables, JSON, and text that cannot drive a terminal. */
import { styleText } from 'node:util';

type Colour = Parameters<typeof styleText>[0];

export function printLine(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** Beside the result: progress and problems. */
export function printNote(text: string): void {
  // It may quote an argument, or what another process answered.
  process.stderr.write(`${text.split('\n').map(harmless).join('\n')}\n`);
}

/** One document, for programs. */
export function printJson(value: unknown): void {
  printLine(harmlessJson(value, 2));
}

/** JSON whose texts cannot drive a terminal: escapes that every reader of JSON understands. */
export function harmlessJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(UNSAFE_BUT_LINE_BREAK, escaped);
}

/** Columns as wide as their widest cell; the last one ends where it ends. */
export function printTable(rows: ReadonlyArray<readonly string[]>): void {
  const widths: number[] = [];
  for (const row of rows) for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  for (const row of rows)
    printLine(
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}

/** Only on a terminal, and without NO_COLOR. */
export function coloured(colour: Colour, text: string): string {
  return process.stdout.isTTY === true && process.stdout.hasColors() ? styleText(colour, text) : text;
}

/** Text of others, on one line: their control characters must not reach the terminal. */
export function harmless(text: string): string {
  return text.replace(UNSAFE, escaped);
}

/** Control characters (C1, which ANSI terminals obey, too), line separators, and what turns the direction of writing. */
const UNSAFE = /\p{Cc}|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
/** Line breaks are the indentation's: in texts JSON has escaped them already. */
const UNSAFE_BUT_LINE_BREAK = new RegExp(`(?!\\n)(?:${UNSAFE.source})`, 'gu');

function escaped(character: string): string {
  return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
}

/** A reader that closes early, such as `head`, ends a command; that is not a failure. */
export function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
}
