/** Reading a key set from a server that is slow, endless, inconsistent, or the wrong one. */

import type { RequestListener } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { jwk, keyPair } from '../../../tests/support/jwt.js';
import { startKeyServer } from '../../../tests/support/key-server.js';
import { fetchKeySet, type KeySetUnavailable } from '../src/admission/keys/fetch-key-set.js';
import { parseKeySet } from '../src/admission/keys/key-set.js';

const never = new AbortController().signal;
const SHORT_TIMEOUT_MS = 300;
const BOMB = gzipSync(Buffer.alloc(10_485_760));
const key = jwk(keyPair('Ed25519'), { kid: 'k1' });

async function failureOf(answer: RequestListener, timeoutMs?: number): Promise<string> {
  const server = await startKeyServer();
  server.serve(answer);
  return await fetchKeySet(server.url, never, timeoutMs).then(
    () => 'ok',
    (error: KeySetUnavailable) => error.failure,
  );
}

describe('reading a key set', () => {
  test('reads the body of a 200 answer, whatever its content type', async () => {
    const server = await startKeyServer([key]);
    expect(JSON.parse(await fetchKeySet(server.url, never))).toEqual({ keys: [key] });
    server.serve((_request, response) => response.setHeader('content-type', 'text/plain').end('{"keys":[]}'));
    expect(await fetchKeySet(server.url, never)).toBe('{"keys":[]}');
  });

  test.each<[string, string, RequestListener]>([
    ['a status', 'status', (_request, response) => void response.writeHead(500).end('{"keys":[]}')],
    ['nothing (204)', 'status', (_request, response) => void response.writeHead(204).end()],
    ['a broken connection', 'unreachable', request => void request.socket.destroy()],
    ['no answer', 'timeout', () => {}],
    ['an answer that never ends', 'timeout', (_request, response) => void response.write('{"keys":')],
    ['300 KiB, as it says', 'too_large', (_request, response) => void response.end('x'.repeat(300_000))],
    [
      '300 KiB, in pieces',
      'too_large',
      (_request, response) => {
        for (let i = 0; i < 300; i++) response.write('x'.repeat(1024));
        response.end();
      },
    ],
    [
      '10 MiB in 10 KiB (gzip)',
      'too_large',
      (_request, response) => void response.setHeader('content-encoding', 'gzip').end(BOMB),
    ],
  ])('%s: %s', async (_, failure, answer) => {
    expect(await failureOf(answer, failure === 'timeout' ? SHORT_TIMEOUT_MS : undefined)).toBe(failure);
  });

  test.each([301, 302, 303, 307, 308])('a redirect (%d) is not followed', async status => {
    const elsewhere = await startKeyServer([key]);
    const failure = await failureOf((_request, response) => {
      response.writeHead(status, { location: elsewhere.url }).end();
    });
    expect(failure).toBe('status');
    expect(elsewhere.requests).toBe(0);
  });

  test('without a listener the key set is unreachable, with the reason of the system', async () => {
    const server = await startKeyServer();
    await server.stop();
    await expect(fetchKeySet(server.url, never)).rejects.toMatchObject({
      failure: 'unreachable',
      detail: 'ECONNREFUSED',
    });
  });

  test.each([
    ['not JSON', '<html>'],
    ['a list', '[]'],
    ['null', 'null'],
    ['no keys', '{}'],
    ['keys that are no list', '{"keys":{}}'],
    ['101 keys', JSON.stringify({ keys: Array.from({ length: 101 }, (_, i) => ({ ...key, kid: `k${i}` })) })],
  ])('rejects %s as a key set', (_, text) => {
    expect(() => parseKeySet(text, 'RS256')).toThrow();
  });

  test('accepts 100 keys', () => {
    const text = JSON.stringify({ keys: Array.from({ length: 100 }, (_, i) => ({ ...key, kid: `k${i}` })) });
    expect(parseKeySet(text, 'RS256').keys.size).toBe(100);
  });
});
