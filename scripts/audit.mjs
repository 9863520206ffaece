/**
 * `npm run audit`: asks the registry for known vulnerabilities of what is installed. Fails on one of level high or worse.
 * A registry that has no such service, or no network, is reported as not checked.
 */
import { spawnSync } from 'node:child_process';
import { readOptions } from './prepare/arguments.mjs';
import { fail, say } from './prepare/terminal.mjs';

const LEVEL = 'high';

readOptions('npm run audit');

const { stdout } = spawnSync('npm', ['audit', '--json', `--audit-level=${LEVEL}`], {
  encoding: 'utf8',
  shell: process.platform === 'win32',
});
const report = parse(stdout);
const counts = report?.metadata?.vulnerabilities;
if (counts === undefined) {
  const reason = report?.statusCode ?? report?.error?.code ?? 'no answer that can be read';
  say(`Known vulnerabilities: NOT CHECKED, the registry does not answer (${reason}).`);
} else if (counts.high + counts.critical > 0) {
  const names = Object.values(report.vulnerabilities).map(({ name, severity }) => `${name} (${severity})`);
  fail(`Known vulnerabilities of level ${LEVEL} or worse: ${names.join(', ')}. See: npm audit`, 1);
} else {
  say(`Known vulnerabilities: none of level ${LEVEL} or worse (${counts.total} below it).`);
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Not JSON: npm itself failed.
  }
}
