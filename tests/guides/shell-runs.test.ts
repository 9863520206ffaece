/** Commands of shell samples that need neither a network nor a port, run in the folder of their page. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanEnvironment } from '@hubbub/tools/kit';
import { beforeAll, expect, test } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { documentationPages, samplesOf } from '../support/samples.js';

const ROOT = join(import.meta.dirname, '../..');
/** A call that ends by itself, also inside `$(…)`. The words may be in quotes. */
const LOCAL_CALL =
  /(?:HUBBUB_CONFIG=\S+ )?npx hubbub (?:token|config check|config print|--help|--version)(?: +(?:'[^']*'|[^\s'"#;&|)]+))*|openssl rand [\w -]+/g;

const shell = documentationPages()
  .flatMap(samplesOf)
  .filter(({ language }) => language === 'sh');
const calls = shell.flatMap(sample =>
  [...sample.code.matchAll(LOCAL_CALL)]
    // Inside a container or a pod, the command has another environment.
    .filter(({ index }) => !/(exec|kubectl) [^\n]*$/.test(sample.code.slice(0, index)))
    .map(([call]) => [`${sample.page}:${sample.line}: ${call.trim()}`, { page: sample.page, call }] as const),
);
let folder: string;

beforeAll(() => {
  // Inside the repository, as the guides ask for.
  folder = mkdtempSync(join(ROOT, 'test-results-'));
  cleanup(() => rmSync(folder, { recursive: true }));
  console.log(
    `${calls.length} commands of ${shell.length} shell samples run here; the rest is parsed, and run only by tests of its page`,
  );
});

test.each(calls)('%s', (_, { page, call }) => {
  for (const { file, language, code } of samplesOf(page))
    if (file !== undefined && language === 'yaml') writeFileSync(join(folder, file), code);
  const output = execFileSync('sh', ['-c', call], { cwd: folder, env: cleanEnvironment({}), encoding: 'utf8' });
  expect(output.trim()).not.toBe('');
});
