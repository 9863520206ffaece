/**
 * The dashboards against Grafana's own schema: the decoder that Grafana Labs generates from it, in Go. No Grafana is run: none is
 * in the registries of npm, PyPI, Go or Debian.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { deployFile } from '../deploy/support/proxy.js';
import { buildGoProgram } from '../support/go-program.js';
import { titleOf } from '../support/provision.js';

const FOLDER = deployFile('grafana/dashboards');

const check = await buildGoProgram('grafana');

/** Returns the problems, one a line. */
function problemsOf(dashboard: string): string {
  return execFileSync(check ?? '', { input: dashboard, encoding: 'utf8' }).trim();
}

test.skipIf(check === undefined)(
  `every dashboard follows the schema of Grafana, and a wrong one does not ${titleOf(check && 'Go', 'Go')}`,
  () => {
    for (const name of readdirSync(FOLDER)) {
      expect(problemsOf(readFileSync(`${FOLDER}/${name}`, 'utf8')), name).toBe('');
    }
    const overview = readFileSync(`${FOLDER}/overview.json`, 'utf8');
    const wrong = [
      ['"editable": true', '"editabel": true', /unexpected field 'editabel'/],
      ['"schemaVersion": 42', '"schemaVersion": "42"', /schemaVersion: .*cannot unmarshal/],
      ['"textMode":', '"textMood":', /unexpected field 'textMood'/],
      ['"legendFormat":', '"legend":', /unexpected field 'legend'/],
    ] as const;
    for (const [right, mistake, problem] of wrong) {
      expect(overview, right).toContain(right);
      expect(problemsOf(overview.replace(right, mistake))).toMatch(problem);
    }
  },
);
