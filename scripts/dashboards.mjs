/** `npm run dashboards`: writes deploy/grafana/dashboards from deploy/grafana/src. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { readOptions } from './prepare/arguments.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = join(ROOT, 'deploy/grafana/dashboards');
// Inside node_modules, so that what is bundled finds the SDK.
const bundle = join(ROOT, 'node_modules/.cache/hubbub/dashboards.mjs');

readOptions('npm run dashboards');
await build({
  entryPoints: [join(ROOT, 'deploy/grafana/src/index.ts')],
  outfile: bundle,
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  logLevel: 'warning',
});
const { dashboardFiles } = await import(pathToFileURL(bundle).href);
const files = dashboardFiles();
mkdirSync(FOLDER, { recursive: true });
for (const name of readdirSync(FOLDER)) if (!(name in files)) rmSync(join(FOLDER, name));
for (const [name, text] of Object.entries(files)) {
  writeFileSync(join(FOLDER, name), text);
  console.log(`deploy/grafana/dashboards/${name}`);
}
