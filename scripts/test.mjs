/** `npm test`: installs, builds, checks style and types, runs the tests. Arguments are passed to vitest. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { refuseUse } from './prepare/arguments.mjs';
import { at, ROOT } from './prepare/files.mjs';
import { endWithParent } from './prepare/parent.mjs';
import { fail, runNode, say } from './prepare/terminal.mjs';
import { prepare } from './prepare.mjs';

/** More failed files than this are not run again: they are not unstable but broken. */
const UNSTABLE_FILES_MAX = 4;
const VITEST = 'node_modules/vitest/vitest.mjs';
const failuresFolder = mkdtempSync(join(tmpdir(), 'hubbub-test-'));
process.on('exit', () => rmSync(failuresFolder, { recursive: true, force: true }));
const failuresFile = join(failuresFolder, 'failures.json');
process.env.HUBBUB_TEST_FAILURES = failuresFile;

const checks = [
  {
    what: 'style',
    script: 'node_modules/@biomejs/biome/bin/biome',
    args: ['check', '--diagnostic-level=error', '.'],
    hint: 'npm run format repairs most of it',
  },
  {
    what: 'types of the tests',
    script: 'node_modules/typescript/bin/tsc',
    args: ['-p', 'tests/tsconfig.json'],
    hint: 'see the output of the compiler above',
  },
  {
    what: 'prose',
    script: 'scripts/prose.mjs',
    args: [],
    hint: 'CONTRIBUTING.md lists the rules',
  },
  // Code for browsers has other libraries than code for Node, and is bundled, not compiled.
  ...['examples/page', 'apps/hubbub/playground', 'apps/hubbub/console'].map(folder => ({
    what: `types of ${folder}`,
    script: 'node_modules/typescript/bin/tsc',
    args: ['-p', folder],
    hint: 'see the output of the compiler above',
  })),
];

const args = process.argv.slice(2).filter(argument => argument !== '--');
endWithParent();
await prepare();
refuseWrongOptions();
for (const { what, script, args, hint } of checks) {
  say(`Checking ${what} …`);
  const code = await runNode(script, args);
  if (code !== 0) fail(`The check of ${what} failed; ${hint}.`, code);
}
say('Running the tests …');
if (args.length === 0) process.env.HUBBUB_TEST_ALL = '1';
const code = await runTests(args);
// A person who names tests sees their failures directly.
process.exitCode = code === 0 || args.length > 0 ? code : await rerunFailedFiles(code);

/** vitest reports a wrong option with a stack trace, and would do so after the checks. */
function refuseWrongOptions() {
  if (!args.some(argument => argument.startsWith('-'))) return;
  const list = [at(VITEST), 'list', '--filesOnly', ...args];
  const { status, stderr } = spawnSync(process.execPath, list, { cwd: ROOT, encoding: 'utf8' });
  if (status === 0) return;
  // An uncaught error of any class, as Node prints it.
  const mistake = /^\w*Error: (.*)$/m.exec(stderr)?.[1] ?? stderr.trim();
  refuseUse('npm test --', `${mistake}; allowed: names of test files, and the options that npx vitest --help lists`);
}

function runTests(vitestArgs) {
  return runNode(VITEST, ['run', ...vitestArgs]);
}

/**
 * Runs the failed files again, one after the other: tests start up to a dozen processes each, and may starve on a busy
 * machine. A broken test fails again. A test that passes alone is listed last, with its failure: it is a defect too.
 *
 * @param {number} code of the run @returns {Promise<number>}
 */
async function rerunFailedFiles(code) {
  const failed = JSON.parse(readFileSync(failuresFile, 'utf8'));
  if (failed.length === 0 || failed.length > UNSTABLE_FILES_MAX) return code;
  const files = failed.map(({ file }) => file);
  say(`Failed beside other tests: ${files.join(', ')}. Running each alone …`);
  const codeAlone = await runTests([...files, '--no-file-parallelism']);
  if (codeAlone !== 0) return codeAlone;
  say('UNSTABLE tests failed beside others and passed alone. Each is a defect of the test or the code; fix it:');
  for (const { file, failures } of failed) for (const failure of failures) say(`- ${file}: ${failure}`);
  return 0;
}
