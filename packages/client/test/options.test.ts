/** Invalid options are reported immediately and all together. */
import { afterEach, expect, it, vi } from 'vitest';
import { HubbubClient } from '../src/index.js';
import { socketUrl } from '../src/options.js';

afterEach(() => vi.unstubAllGlobals());

it('names every invalid option', () => {
  const options = { url: '', token: 7 as unknown as string, ackTimeoutMs: Number.NaN, maxDelayMs: 2 ** 40 };
  expect(() => new HubbubClient({ ...options, offlineQueueSize: -1 })).toThrow(
    /url .*token .*ackTimeoutMs .*maxDelayMs .*offlineQueueSize /,
  );
  expect(() => new HubbubClient({ url: 'ftp://x/ws', token: 't' })).toThrow(TypeError);
});

it('accepts http URLs, and relative ones in a page', () => {
  expect(socketUrl('https://example.org/ws#x')).toBe('wss://example.org/ws');
  expect(socketUrl('/ws')).toBeUndefined();
  vi.stubGlobal('location', { href: 'http://127.0.0.1:8080/page' });
  expect(socketUrl('/rooms/general/ws')).toBe('ws://127.0.0.1:8080/rooms/general/ws');
});
