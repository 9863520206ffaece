/** Compiles the samples of the documentation in TypeScript and JavaScript under `strict`. */
import { join } from 'node:path';
import type { Consumer } from '../packages/consumer.js';
import type { Sample } from '../support/samples.js';

export const COMPILED_LANGUAGES: ReadonlySet<string> = new Set(['js', 'jsx', 'ts', 'tsx']);

const OPTIONS = {
  strict: true,
  allowJs: true,
  checkJs: true,
  noEmit: true,
  target: 'es2022',
  lib: ['es2023', 'dom', 'dom.iterable'],
  module: 'nodenext',
  jsx: 'react-jsx',
  skipLibCheck: true,
  types: ['node'],
};

/**
 * Writes the samples into the project and compiles them, together with the files of `around`.
 * @returns the reports of the compiler about each sample, by its place in the documentation
 */
export async function compileSamples(
  project: Consumer,
  samples: readonly Sample[],
  around: Readonly<Record<string, string>> = {},
): Promise<ReadonlyMap<Sample, readonly string[]>> {
  const paths = new Map(samples.map(sample => [pathOf(sample, samples), sample]));
  const typeRoots = [join(import.meta.dirname, '../../node_modules/@types'), 'node_modules/@types'];
  await project.write({
    ...Object.fromEntries([...paths].map(([path, { code }]) => [path, `${code}export {};\n`])),
    ...around,
    'package.json': '{ "private": true, "type": "module" }',
    'tsconfig.json': JSON.stringify({
      compilerOptions: { ...OPTIONS, typeRoots },
      files: [...paths.keys(), ...Object.keys(around)],
    }),
  });
  const output = await project.runTool('typescript/bin/tsc', ['-p', '.']).catch((error: Error) => error.message);
  const found = new Map<Sample, string[]>(samples.map(sample => [sample, []]));
  for (const [, path = '', line, text] of output.matchAll(/^(\S+)\((\d+),\d+\): (error .*(?:\n {2,}.*)*)/gm)) {
    const sample = paths.get(path);
    if (sample === undefined) throw new Error(`The compiler reports ${path}: ${text}`);
    found.get(sample)?.push(`${sample.page}:${sample.line + Number(line)}: ${text}`);
  }
  return found;
}

/** Files of one page are in one folder, because they import each other; a second version of a file is in a second folder. */
function pathOf({ page, file, line, language }: Sample, all: readonly Sample[]): string {
  const name = page.replaceAll('/', '_');
  if (file === undefined) return `${name}-${line}.${language}`;
  const earlier = all.filter(other => other.page === page && other.file === file && other.line < line).length;
  return `${name}/${earlier}/${file}`;
}
