/** Bundles the page of an example: page/app.tsx, with its style, in an index.html that all examples share. */
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { type Example, exampleFile } from './example.js';

/** Where the bundled page is; one for each process, so that two runs do not disturb each other. */
export function pageFolder({ name }: Example): string {
  return join(tmpdir(), `hubbub-example-${name}-${process.pid}`);
}

export async function bundlePage(example: Example): Promise<void> {
  const target = pageFolder(example);
  await mkdir(target, { recursive: true });
  await build({
    entryPoints: { app: exampleFile(example.name, 'page/app.tsx') },
    outdir: target,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    target: ['chrome123', 'firefox120', 'safari17.5'], // The first versions that support light-dark() in CSS.
    logLevel: 'warning',
  });
  await writeFile(join(target, 'index.html'), htmlOf(example.title));
}

/** @param title a constant of the example: not escaped */
function htmlOf(title: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content">
    <title>${title}</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/app.css">
    <script type="module" src="/app.js"></script>
  </head>
  <body>
    <noscript>This page needs JavaScript.</noscript>
  </body>
</html>
`;
}
