/** Bundles the page of an example: page/app.tsx, with its style, in an index.html that all examples share. */
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { build } from 'esbuild';
import { type Example, exampleFile } from './example.js';

/** Where the bundled page is; one for each process, so that two runs do not disturb each other. */
export function pageFolder({ name }: Example): string {
  return join(tmpdir(), `hubbub-example-${name}-${process.pid}`);
}

export async function bundlePage(example: Example): Promise<void> {
  const target = pageFolder(example);
  await mkdir(target, { recursive: true });
  const source = dirname(exampleFile(example.name, 'page'));
  if (existsSync(join(source, 'page/index.html'))) return await bundleByHand(example.name, target);
  await bundle({ app: exampleFile(example.name, 'page/app.tsx') }, target);
  await writeFile(join(target, 'index.html'), htmlOf(example.title));
}

async function bundle(entryPoints: Readonly<Record<string, string>>, outdir: string): Promise<void> {
  await build({
    entryPoints: { ...entryPoints },
    outdir,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    target: ['chrome123', 'firefox120', 'safari17.5'], // The first versions that support light-dark() in CSS.
    logLevel: 'warning',
  });
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

/** A page that is not on the page kit yet: page/index.html with app.ts and style.css, and others as `<page>.html` with `<page>.ts`. */
async function bundleByHand(name: string, target: string): Promise<void> {
  const source = dirname(exampleFile(name, 'page/index.html'));
  const pages = (await readdir(source)).filter(file => file.endsWith('.html')).map(file => basename(file, '.html'));
  const further = pages.filter(page => page !== 'index');
  await build({
    entryPoints: [
      { in: exampleFile(name, 'page/app.ts'), out: 'app' },
      { in: exampleFile(name, 'page/style.css'), out: 'app' },
      ...further.map(page => ({ in: exampleFile(name, `page/${page}.ts`), out: page })),
    ],
    outdir: target,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: ['chrome123', 'firefox120', 'safari17.5'],
    logLevel: 'warning',
  });
  await Promise.all(pages.map(page => cp(join(source, `${page}.html`), join(target, `${page}.html`))));
}
