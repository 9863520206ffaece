/** The SDK in pages, Jest with jsdom, React Native and servers: it needs no more than each of them has. */
import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { describe, expect, it, vi } from 'vitest';
import { resolveOptions, socketUrl } from '../src/options.js';

async function bundleFor(conditions: string[]): Promise<{ code: string; files: string[] }> {
  const result = await build({
    stdin: {
      contents: `export { HubbubClient } from '@hubbub/client'`,
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
    },
    bundle: true,
    format: 'iife',
    globalName: 'sdk',
    platform: 'neutral',
    conditions,
    metafile: true,
    write: false,
  });
  const code = result.outputFiles[0]?.text ?? '';
  return { code, files: Object.keys(result.metafile.inputs) };
}

/** A socket that immediately welcomes and acknowledges; it records the frames that it receives. */
function fakeSocketClass(frames: unknown[], urls: string[]) {
  return class {
    onopen = () => {};
    onmessage = (_: { data: unknown }) => {};
    onclose = () => {};
    constructor(url: string) {
      urls.push(url);
      setTimeout(() => {
        this.onopen();
        const user = { id: 'u', name: 'U' };
        const payload = { session_id: 's', user, rooms: [], limits: { max_frame_bytes: 4096 } };
        this.onmessage({ data: JSON.stringify({ type: 'welcome', payload }) });
      });
    }
    send(text: string) {
      const frame = JSON.parse(text);
      frames.push(frame);
      setTimeout(() => this.onmessage({ data: JSON.stringify({ type: 'ack', id: frame.id }) }));
    }
    close() {}
  };
}

describe.each(['react-native', 'browser'])('bundled for %s', condition => {
  it('has the transport of browsers, and neither ws nor modules of Node', async () => {
    const { files } = await bundleFor([condition]);
    expect(files.some(file => file.endsWith('transport-browser.js'))).toBe(true);
    expect(files.filter(file => /transport-node|\/ws\//.test(file))).toEqual([]);
  });

  it.each([
    ['Jest with jsdom has: no TextEncoder', { crypto: globalThis.crypto }],
    ['React Native has: no TextEncoder, no crypto', {}],
  ])('connects and sends with what %s', async (_, has) => {
    const { code } = await bundleFor([condition]);
    const frames: Record<string, unknown>[] = [];
    const urls: string[] = [];
    const WebSocket = fakeSocketClass(frames, urls);
    const scope = createContext({ WebSocket, setTimeout, clearTimeout, performance, queueMicrotask, ...has });
    runInContext(code, scope);
    await runInContext(
      `(async () => {
        const client = new sdk.HubbubClient({ url: 'wss://edge.test/ws?a=b#c', token: 'a.b.c' });
        await client.connect();
        await client.room('general').send({ text: 'grüß 😀' });
        client.close();
      })()`,
      scope,
    );
    expect(urls).toEqual(['wss://edge.test/ws?a=b&errors=close']);
    expect(frames).toMatchObject([{ type: 'send_message', payload: { text: 'grüß 😀' } }]);
  });
});

it('closes clients and stops listeners where the platform has no Symbol.dispose', async () => {
  const { code } = await bundleFor(['browser']);
  const scope = createContext({
    setTimeout,
    clearTimeout,
    performance,
    Symbol: (description: string) => Symbol(description),
  });
  runInContext(code, scope);
  const keys = runInContext(
    `const client = new sdk.HubbubClient({ url: 'wss://edge.test/ws' });
    const stop = client.on('tick', () => {});
    stop();
    client.close();
    [...Object.getOwnPropertyNames(stop), ...Object.getOwnPropertyNames(sdk.HubbubClient.prototype)].join()`,
    scope,
  );
  expect(keys).toContain('onFrame');
  expect(keys).not.toContain('undefined');
});

describe('the address of an edge', () => {
  it.each([
    ['ws://edge.test/ws', 'ws://edge.test/ws'],
    ['https://edge.test/ws#x', 'wss://edge.test/ws'],
    ['http://edge.test:8080/ws?a=1', 'ws://edge.test:8080/ws?a=1'],
  ])('%s becomes %s', (url, absolute) => expect(socketUrl(url)).toBe(absolute));

  it('may be relative in a page', () => {
    vi.stubGlobal('location', { href: 'https://example.org/app/page.html#top' });
    expect(socketUrl('/ws')).toBe('wss://example.org/ws');
    vi.unstubAllGlobals();
  });

  it('must not be relative where there is no page, and the error names a valid form', () => {
    expect(() => resolveOptions({ url: '/ws' })).toThrow(
      /^HubbubClient options: url .*, or relative in a page; got "\/ws"\.$/,
    );
  });

  it.each(['ftp://edge.test/ws', 'mailto:a', 'wss://', 'http://a b/'])('%s is refused by name', url => {
    vi.stubGlobal('location', { href: 'https://example.org/' });
    expect(() => resolveOptions({ url })).toThrow(
      /HubbubClient options: url must be a ws:, wss:, http: or https: URL, .*; got/,
    );
    vi.unstubAllGlobals();
  });
});
