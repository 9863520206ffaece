/** Makes the page of an example: its scripts and styles in one file each, beside its index.html. */
import { cp, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { exampleFile } from './example-file.js';

/** Where the finished page is; one for each process, so that two runs do not disturb each other. */
export function pageFolder(name: string): string {
  return join(tmpdir(), `hubbub-example-${name}-${process.pid}`);
}

export async function bundlePage(name: string): Promise<void> {
  const target = pageFolder(name);
  await mkdir(target, { recursive: true });
  await build({
    entryPoints: [
      { in: exampleFile(name, 'page/app.ts'), out: 'app' },
      { in: exampleFile(name, 'page/style.css'), out: 'app' },
    ],
    outdir: target,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: ['chrome123', 'firefox120', 'safari17.5'], // The first that know light-dark() in CSS.
    logLevel: 'warning',
  });
  await cp(exampleFile(name, 'page/index.html'), join(target, 'index.html'));
}
