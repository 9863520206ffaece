/** The bundle that a browser downloads: below 12 kB, without the parts that it does not need. */
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

/** Bytes, gzipped: the promise of the README. */
const MAX_BYTES = 12_000;

async function bundle(source: string): Promise<{ bytes: number; files: string[] }> {
  const result = await build({
    stdin: { contents: source, resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    metafile: true,
    write: false,
  });
  const inputs = Object.values(result.metafile.outputs).flatMap(output => Object.entries(output.inputs));
  return {
    bytes: gzipSync(result.outputFiles[0]?.contents ?? '').length,
    files: inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([file]) => file),
  };
}

it('stays below 12 kB gzipped, with neither ws nor zod nor MessagePack', async () => {
  const { bytes, files } = await bundle(`export { HubbubClient } from '@hubbub/client'`);
  expect(bytes).toBeLessThan(MAX_BYTES);
  expect(files.filter(file => /node_modules|msgpack|client-frame|transport-node/.test(file))).toEqual([]);
  expect(files.some(file => file.endsWith('transport-browser.js'))).toBe(true);
});

it('contains MessagePack only where it is imported', async () => {
  const { files } = await bundle(
    `export { HubbubClient } from '@hubbub/client'; export { msgpackCodec } from '@hubbub/client/msgpack'`,
  );
  expect(files.some(file => file.includes('@msgpack/msgpack'))).toBe(true);
  expect(files.filter(file => /\/(ws|zod)\//.test(file))).toEqual([]);
});
