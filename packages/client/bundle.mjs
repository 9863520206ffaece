/** Bundles the SDK into one file for `<script type="module">`; run after `tsc -b`, because it bundles what that wrote. */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export default async function bundle() {
  await build({
    entryPoints: { 'hubbub-client': fileURLToPath(new URL('./dist/index.js', import.meta.url)) },
    outdir: fileURLToPath(new URL('./dist/browser/', import.meta.url)),
    bundle: true,
    minify: true,
    sourcemap: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'warning',
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle();
