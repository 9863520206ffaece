/** The bytes that the hooks add to a page: below 3 kB, without React and without the client. */
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

/** Bytes, gzipped: the promise of the README. */
const MAX_BYTES = 3_000;

it('stays below 3 kB gzipped, and imports only React and the client', async () => {
  const result = await build({
    entryPoints: [fileURLToPath(new URL('../dist/index.js', import.meta.url))],
    external: ['react', '@hubbub/client'],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    metafile: true,
    write: false,
  });
  const [output] = Object.values(result.metafile.outputs);
  expect(new Set(output?.imports.map(({ path }) => path))).toEqual(new Set(['react', '@hubbub/client']));
  expect(Object.keys(result.metafile.inputs).filter(path => !path.startsWith('packages/react/dist/'))).toEqual([]);
  expect(gzipSync(result.outputFiles[0]?.contents ?? '').length).toBeLessThan(MAX_BYTES);
});
