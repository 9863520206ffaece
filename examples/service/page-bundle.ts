/** Makes the pages of an example: index.html with app.ts and style.css, and further ones as `<page>.html` with `<page>.ts`. */
import { cp, mkdir, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { build } from 'esbuild';
import { exampleFile } from './example-file.js';

/** Where the finished page is; one for each process, so that two runs do not disturb each other. */
export function pageFolder(name: string): string {
  return join(tmpdir(), `hubbub-example-${name}-${process.pid}`);
}

export async function bundlePage(name: string): Promise<void> {
  const target = pageFolder(name);
  await mkdir(target, { recursive: true });
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
    target: ['chrome123', 'firefox120', 'safari17.5'], // The first that know light-dark() in CSS.
    logLevel: 'warning',
  });
  await Promise.all(pages.map(page => cp(join(source, `${page}.html`), join(target, `${page}.html`))));
}
