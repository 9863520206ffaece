/** `npm test`: installs, builds, checks style and types, runs the tests. Arguments are passed to vitest. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endWithParent } from './prepare/parent.mjs';
import { fail, runNode, say } from './prepare/terminal.mjs';
import { prepare } from './prepare.mjs';

/** More of them are no accident. */
const FILES_TO_LOOK_AT_AGAIN = 4;
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
    hint: 'the compiler says where above',
  },
  // What browsers run has other libraries than what Node runs, and is bundled, not compiled.
  ...['examples/page', 'apps/hubbub/playground'].map(folder => ({
    what: `types of ${folder}`,
    script: 'node_modules/typescript/bin/tsc',
    args: ['-p', folder],
    hint: 'the compiler says where above',
  })),
];

endWithParent();
await prepare();
for (const { what, script, args, hint } of checks) {
  say(`Checking ${what} …`);
  const code = await runNode(script, args);
  if (code !== 0) fail(`The check of ${what} failed; ${hint}.`, code);
}
say('Running the tests …');
const args = process.argv.slice(2);
const code = await runTests(args);
// Who names tests wants to hear of them what there is to hear.
process.exitCode = code === 0 || args.length > 0 ? code : await onceMoreAlone(code);

function runTests(vitestArgs) {
  return runNode('node_modules/vitest/vitest.mjs', ['run', ...vitestArgs]);
}

/**
 * Stories start up to a dozen processes each, and run two at a time: on a machine that others use one may starve. A few files that
 * failed are run again from their beginning, one after the other: what is broken fails again, and what is not is named as unstable.
 *
 * @param {number} code of the run @returns {Promise<number>}
 */
async function onceMoreAlone(code) {
  const files = JSON.parse(readFileSync(failuresFile, 'utf8'));
  if (files.length === 0 || files.length > FILES_TO_LOOK_AT_AGAIN) return code;
  say(`Failed beside others: ${files.join(', ')}. Once more, each alone …`);
  const codeAlone = await runTests([...files, '--no-file-parallelism']);
  if (codeAlone === 0)
    say(`UNSTABLE, failed beside others and passed alone: ${files.join(', ')}. Mend what makes them so.`);
  return codeAlone;
}
