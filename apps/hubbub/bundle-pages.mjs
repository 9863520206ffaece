/** Bundles the playground and the console into dist; run after `tsc -b`, because the bundles take packages from their dist. */
import { cp, mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Name of the page and its source → folder in dist. */
const PAGES = { playground: 'playground', console: 'console-page' };

export default async function bundlePages() {
  for (const [name, folder] of Object.entries(PAGES)) {
    const source = new URL(`${name}/`, import.meta.url);
    const target = new URL(`dist/${folder}/`, import.meta.url);
    await mkdir(target, { recursive: true });
    await build({
      entryPoints: [
        { in: fileURLToPath(new URL('src/main.tsx', source)), out: name },
        { in: fileURLToPath(new URL('style.css', source)), out: name },
      ],
      outdir: fileURLToPath(target),
      bundle: true,
      minify: true,
      sourcemap: true,
      format: 'esm',
      platform: 'browser',
      jsx: 'automatic',
      jsxImportSource: 'preact',
      target: ['chrome123', 'firefox120', 'safari17.5'], // The first that know light-dark() in CSS.
      logLevel: 'warning',
    });
    await cp(new URL('index.html', source), new URL('index.html', target));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundlePages();
