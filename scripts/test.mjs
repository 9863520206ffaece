/** `npm test`: installs, builds, checks style and types, runs the tests. Arguments are passed to vitest. */
import { endWithParent } from './prepare/parent.mjs';
import { fail, runNode, say } from './prepare/terminal.mjs';
import { prepare } from './prepare.mjs';

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
process.exitCode = await runNode('node_modules/vitest/vitest.mjs', ['run', ...process.argv.slice(2)]);
