/** The bundle that a browser downloads: below 14 kB, without the parts that it does not need. */
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

/** Bytes, gzipped: the promises of the README. */
const MAX_BYTES = 14_000;
const EVENTS_MAX_BYTES = 5_000;

interface Bundle {
  /** Of what a page loads at first. */
  readonly bytes: number;
  readonly files: readonly string[];
  /** Its further files, loaded where WebSockets are blocked. */
  readonly later: { readonly bytes: number; readonly files: readonly string[] };
}

async function bundle(source: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: source, resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    splitting: true,
    outdir: 'out',
    metafile: true,
    write: false,
  });
  const outputs = Object.entries(metafile.outputs);
  const isLater = (file: string): boolean =>
    outputs.some(([, { imports }]) => imports.some(({ path, kind }) => path === file && kind === 'dynamic-import'));
  const measure = (chunks: typeof outputs) => ({
    bytes: chunks
      .map(([path]) => outputFiles.find(file => file.path.endsWith(path))?.contents ?? '')
      .reduce((sum, contents) => sum + gzipSync(contents).length, 0),
    files: chunks
      .flatMap(([, { inputs }]) => Object.entries(inputs))
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .map(([file]) => file),
  });
  return {
    ...measure(outputs.filter(([path]) => !isLater(path))),
    later: measure(outputs.filter(([path]) => isLater(path))),
  };
}

it('stays below 14 kB gzipped, with neither ws nor zod nor MessagePack', async () => {
  const { bytes, files } = await bundle(`export { HubbubClient } from '@hubbub/client'`);
  expect(bytes).toBeLessThan(MAX_BYTES);
  expect(files.filter(file => /node_modules|msgpack|client-frame|transport-node/.test(file))).toEqual([]);
  expect(files.some(file => file.endsWith('transport-browser.js'))).toBe(true);
});

it('has server-sent events in a chunk of their own, below 5 kB', async () => {
  const { files, later } = await bundle(`export { HubbubClient } from '@hubbub/client'`);
  expect(files.filter(file => /transport-events|publisher|room-stream/.test(file))).toEqual([]);
  expect(later.files.some(file => file.endsWith('transport-events.js'))).toBe(true);
  expect(later.files.filter(file => /node_modules|msgpack/.test(file))).toEqual([]);
  expect([later.bytes > 1_000, later.bytes < EVENTS_MAX_BYTES]).toEqual([true, true]);
});

it('contains MessagePack only where it is imported', async () => {
  const { files } = await bundle(
    `export { HubbubClient } from '@hubbub/client'; export { msgpackCodec } from '@hubbub/client/msgpack'`,
  );
  expect(files.some(file => file.includes('@msgpack/msgpack'))).toBe(true);
  expect(files.filter(file => /\/(ws|zod)\//.test(file))).toEqual([]);
});
