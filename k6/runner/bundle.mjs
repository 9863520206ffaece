/** Bundles a scenario and its imports into one file: k6 does not resolve packages, and a ConfigMap holds one file easily. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const SCENARIOS = fileURLToPath(new URL('../scenarios/', import.meta.url));
const DIST = fileURLToPath(new URL('../dist/', import.meta.url));

/** @returns {string[]} names of all scenarios */
export function scenarioNames() {
  return readdirSync(SCENARIOS)
    .filter(name => name.endsWith('.ts'))
    .map(name => name.slice(0, -'.ts'.length))
    .sort();
}

/** @param {string} name @param {string} [dist] a folder @returns {Promise<string>} path of the file for k6 */
export async function bundleScenario(name, dist = DIST) {
  const outfile = join(dist, `${name}.js`);
  await build({
    entryPoints: [`${SCENARIOS}${name}.ts`],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    external: ['k6', 'k6/*'],
    logLevel: 'warning',
  });
  return outfile;
}
