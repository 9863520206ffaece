/** docs/http-api.md, run as it is written: the commands give the documented answers, and the tables are correct. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { environmentName, loadConfig, settingNames } from '@hubbub/config';
import { isErrorCode } from '@hubbub/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import { withNamespaces } from '../presence/config-file.js';
import { startCluster } from '../support/cluster.js';
import { MarkdownPage } from '../support/markdown-tables.js';
import { samplesIn } from '../support/samples.js';
import { API_KEY, type ApiProcess, PRESENCE_KEY, startApi } from './api-process.js';

const text = readFileSync(new URL('../../docs/http-api.md', import.meta.url), 'utf8');
const page = new MarkdownPage(text);
const run = promisify(execFile);

interface Example {
  readonly command: string;
  readonly answer: string;
}

/** Commands with the answers that follow them. */
const examples: readonly Example[] = samplesIn(text).flatMap(({ code }, index, all) =>
  code.startsWith('curl') ? [{ command: code, answer: all[index + 1]?.code ?? '' }] : [],
);

/** The values of a text that holds several JSON values one after the other. */
function valuesIn(json: string): unknown[] {
  const values: unknown[] = [];
  let part = '';
  for (const line of json.split('\n')) {
    part += line;
    try {
      values.push(JSON.parse(part));
      part = '';
    } catch {
      // The value continues on the next line.
    }
  }
  expect(part.trim(), 'all of it is JSON').toBe('');
  return values;
}

/** `…` in the document stands for any text without spaces, or for an object. */
function asPattern(value: unknown): unknown {
  if (value === '…') return expect.toSatisfy(found => typeof found === 'object' || /^\S+$/.test(String(found)));
  if (Array.isArray(value)) return value.map(asPattern);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asPattern(item)]));
}

let api: ApiProcess;

beforeAll(async () => {
  const chat = { public: true, historySize: 100, historyTtlMs: 600_000 };
  const cluster = await startCluster({
    edges: 1,
    env: { HUBBUB_PRESENCE_API_KEYS: PRESENCE_KEY, ...withNamespaces({ default: { public: true }, chat }) },
  });
  api = await startApi(cluster, { env: { HUBBUB_API_TOKENS: 'true' } });
});

describe('docs/http-api.md', () => {
  test('every command gives the answer that follows it', async () => {
    expect(examples.length).toBeGreaterThan(6);
    for (const { command, answer } of examples) {
      const env = { PATH: process.env.PATH, API: api.url, KEY: API_KEY };
      // curl writes no line break after an answer.
      const { stdout } = await run('sh', ['-e', '-c', command.replace(/curl -sS/g, "curl -sS -w '\\n'")], { env });
      expect(valuesIn(stdout), command).toEqual(valuesIn(answer).map(asPattern));
    }
  });

  test('shows every route', async () => {
    const { body } = await api.get('/nowhere');
    const shown = examples
      .flatMap(({ command }) => [
        command,
        command
          .replace(/rooms\/[^/?"]+/g, 'rooms/{room_id}')
          .replace(/users\/[^/?"]+/g, 'users/{user_id}')
          .replace(/sessions\/[^/?"]+/g, 'sessions/{session_id}')
          .replace(/events\/[^/?"]+\/[^/?"]+\//g, 'events/{namespace}/{group}/')
          .replace(/lifecycle\/[^/?"]+\//g, 'lifecycle/{group}/')
          .replace(/dead_letters\/[^/?"]+/g, 'dead_letters/{letter_id}'),
      ])
      .join('\n');
    const routes = (body.routes as string[])
      .map(route => route.split(' ')[1] ?? '')
      .filter(path => path !== '/openapi.json');
    expect(routes.length).toBeGreaterThan(10);
    for (const path of routes) expect(shown).toMatch(new RegExp(`\\$API${path.replace(/[{}]/g, '\\$&')}["?]`));
  });

  test('lists the statuses of the description, and the codes of the catalog', async () => {
    const { body } = await api.get('/openapi.json');
    const paths = Object.values(body.paths as Record<string, Record<string, { responses: object }>>);
    const operations = paths.flatMap(path => Object.values(path));
    const rows = page.table('Errors', 'status', 'code');
    // Statuses that no route answers are in the table only.
    const described = operations.flatMap(({ responses }) => Object.keys(responses)).filter(status => status !== '200');
    const statuses = new Set([...described, '404', '405']);
    expect([...new Set(rows.map(({ status }) => status))].sort()).toEqual([...statuses].sort());
    const codes = rows.flatMap(({ code = '' }) => code.match(/[A-Z_]{3,}/g) ?? [code]);
    expect(codes.filter(code => !isErrorCode(code))).toEqual([]);
  });

  test('lists all settings of the API, with their defaults', () => {
    const config: Readonly<Record<string, unknown>> = { ...loadConfig({}) };
    const defaults = new Map(settingNames().map(name => [environmentName(name), config[name]]));
    const notice = page.table('Running it', 'setting', 'default').flatMap(row => {
      const names = (row.setting ?? '').match(/HUBBUB_\w+/g) ?? [];
      const values = (row.default ?? '').split(', ');
      return names.map((name, index) => [name, values[index] ?? values[0]] as const);
    });
    for (const [name, value] of notice) {
      const actual = defaults.get(name);
      const isNone = actual === undefined || (Array.isArray(actual) && actual.length === 0);
      expect([name, value]).toEqual([name, isNone ? 'none' : String(actual)]);
    }
    const ours = [...defaults.keys()].filter(name => name.startsWith('HUBBUB_API_'));
    expect(notice.map(([name]) => name)).toEqual(expect.arrayContaining(ours));
    for (const name of text.match(/HUBBUB_[A-Z_]+/g) ?? []) expect(defaults.has(name), name).toBe(true);
  });

  test('lists the metrics of the API', async () => {
    const metrics = await (await fetch(`${api.process.adminUrl}/metrics`)).text();
    const named = text.match(/hubbub_api_\w+/g) ?? [];
    expect(named.length).toBeGreaterThan(4);
    for (const name of named) expect(metrics).toContain(`# TYPE ${name} `);
  });
});
