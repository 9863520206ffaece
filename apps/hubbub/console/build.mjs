/** Bundles the console's page into dist/console-page; run after `tsc -b`, because the bundle takes packages from their dist. */
import { cp, mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build as bundle } from 'esbuild';

const SOURCE = new URL('./', import.meta.url);
const TARGET = new URL('../dist/console-page/', import.meta.url);

export default async function build() {
  await mkdir(TARGET, { recursive: true });
  await bundle({
    entryPoints: [
      { in: fileURLToPath(new URL('src/main.tsx', SOURCE)), out: 'console' },
      { in: fileURLToPath(new URL('style.css', SOURCE)), out: 'console' },
    ],
    outdir: fileURLToPath(TARGET),
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    target: ['chrome123', 'firefox120', 'safari17.5'], // The first that know light-dark() in CSS.
    logLevel: 'warning',
  });
  await cp(new URL('index.html', SOURCE), new URL('index.html', TARGET));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build();
