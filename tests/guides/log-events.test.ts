/** docs/log-events.md lists every log event of the code with its level and fields, and no other. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type LogCall, readLogCalls } from '../support/log-calls.js';
import { MarkdownPage } from '../support/markdown-tables.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const page = new MarkdownPage(readFileSync(`${ROOT}docs/log-events.md`, 'utf8'));

/** The sources of each section, as files or folders. */
const SECTIONS: Readonly<Record<string, readonly string[]>> = {
  'Every process': ['packages/runtime/src', 'apps/hubbub/src/process.ts', 'apps/hubbub/src/tracing.ts'],
  'Every process on Redis': ['apps/hubbub/src/redis.ts', 'packages/broker/src'],
  Edge: ['apps/edge/src'],
  'Workers of an edge': ['apps/hubbub/src/workers'],
  Presence: ['apps/presence/src'],
  'HTTP API': ['apps/api/src'],
  Webhooks: ['apps/webhooks/src'],
  '`hubbub start`': ['apps/hubbub/src/commands/start.ts'],
};
/** Sources that write no line of their own. */
const SILENT = ['packages/protocol/src', 'packages/config/src', 'packages/client/src', 'packages/server/src'];

function sourcesBelow(path: string): string[] {
  if (path.endsWith('.ts')) return [path];
  const names = readdirSync(ROOT + path, { recursive: true, encoding: 'utf8' });
  return names.filter(name => name.endsWith('.ts')).map(name => `${path}/${name}`);
}

const callsBelow = (paths: readonly string[]): LogCall[] =>
  paths.flatMap(sourcesBelow).flatMap(path => readLogCalls(path, readFileSync(ROOT + path, 'utf8')));

/** `level` and `fields` as the page has them; the lines of one event together. */
function described(calls: readonly LogCall[]): Record<string, { levels: string[]; fields: string[] }> {
  const events: Record<string, { levels: string[]; fields: string[] }> = {};
  for (const { event, levels, fields } of calls) {
    const known = events[event] ?? { levels: [], fields: [] };
    events[event] = {
      levels: [...new Set([...known.levels, ...levels])].sort(),
      fields: [...new Set([...known.fields, ...fields])].sort(),
    };
  }
  return events;
}

const wordsOf = (cell = '') => [...cell.matchAll(/\w+/g)].map(([word]) => word);

function onPage(section: string): LogCall[] {
  return page.table(section, 'Event', 'Level', 'Fields', 'Meaning', 'What to do').map(row => ({
    event: row.Event ?? '',
    levels: wordsOf(row.Level),
    fields: wordsOf(row.Fields),
  }));
}

describe.each(Object.entries(SECTIONS))('%s', (section, paths) => {
  test('has the events of the code with level and fields, and no others', () => {
    const calls = callsBelow(paths);
    expect(calls.length).toBeGreaterThan(0);
    expect(described(onPage(section))).toEqual(described(calls));
  });
});

test('the sections have every source that logs', () => {
  const apps = ['edge', 'presence', 'api', 'hubbub'].map(name => `apps/${name}/src`);
  const all = [...apps, 'packages/runtime/src', 'packages/broker/src', ...SILENT].flatMap(sourcesBelow);
  const covered = new Set(Object.values(SECTIONS).flat().flatMap(sourcesBelow));
  expect(callsBelow(all.filter(path => !covered.has(path)))).toEqual([]);
});

test('has the warnings of the configuration', () => {
  const source = readFileSync(`${ROOT}packages/config/src/warnings.ts`, 'utf8');
  const names = [...source.matchAll(/name: '([a-z_]+)'/g)].map(([, name]) => name);
  expect(names.length).toBeGreaterThan(10);
  const rows = page.table('Warnings of the configuration', 'Event', 'Meaning');
  expect(rows.map(({ Event }) => Event).sort()).toEqual([...new Set(names)].sort());
});

describe('a log call that the page could not be compared with fails', () => {
  test.each([
    ["log.warn(fields(), 'text')", /without an object/],
    ["log.warn({ code }, 'text')", /without the name/],
    ["log.warn({ event: 'x', ...facts }, 'text')", /cannot be read/],
  ])('%s', (source, problem) => {
    expect(() => readLogCalls('a.ts', source)).toThrow(problem);
  });

  test('every form of the code is read', () => {
    const source = `
      this.#options.log?.debug?.({ event: 'a', one, two: 2 }, '');
      logger[isNew ? 'info' : 'warn']({ event: 'b', ...(x !== undefined && { three: x }) }, '');
      console.info({ event: 'no' });
    `;
    expect(readLogCalls('a.ts', source)).toEqual([
      { event: 'a', levels: ['debug'], fields: ['one', 'two'] },
      { event: 'b', levels: ['info', 'warn'], fields: ['three'] },
    ]);
  });
});
