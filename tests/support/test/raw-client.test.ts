/** The raw client against a small server: encodings, tokens, refusals, barriers. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decode, encode } from '@msgpack/msgpack';
import { describe, expect, test } from 'vitest';
import { type VerifyClientCallbackAsync, WebSocketServer } from 'ws';
import { cleanup } from '../cleanup.js';
import { connect, connectRefused } from '../raw-client.js';

/** Answers every frame with its echo; a query with `refuse` gets 401. */
async function startEcho(): Promise<string> {
  const http = createServer();
  const sockets = new WebSocketServer({ server: http, verifyClient: verify });
  sockets.on('connection', (socket, request) => {
    const headers = {
      authorization: request.headers.authorization,
      offered: request.headers['sec-websocket-protocol'],
    };
    const binary = socket.protocol === 'hubbub.v1.msgpack';
    const send = (frame: unknown) => socket.send(binary ? encode(frame) : JSON.stringify(frame));
    send({ type: 'welcome', payload: { ...headers, url: request.url } });
    socket.on('message', (data: Buffer, isBinary) => {
      const frame = (isBinary ? decode(data) : JSON.parse(String(data))) as { type: string };
      send(frame.type === 'ping' ? { ...frame, type: 'pong' } : frame);
    });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  cleanup(() => {
    for (const client of sockets.clients) client.terminate();
    http.close();
  });
  return `ws://127.0.0.1:${(http.address() as AddressInfo).port}/ws`;
}

const verify: VerifyClientCallbackAsync = ({ req }, done) => {
  if (req.url?.includes('refuse')) done(false, 401, 'no token');
  else done(true);
};

describe('a raw client', () => {
  test.for(['json', 'msgpack'] as const)('speaks %s', async encoding => {
    const client = await connect(await startEcho(), { encoding });
    expect(client.subprotocol).toBe(`hubbub.v1.${encoding}`);
    client.send({ type: 'send_message', payload: { content: 'hi' } });
    expect(await client.nextFrame('send_message')).toEqual({ type: 'send_message', payload: { content: 'hi' } });
    expect(client.frames.map(frame => frame.type)).toEqual(['welcome', 'send_message']);
  });

  test('puts the token in the requested place', async () => {
    const url = await startEcho();
    const welcomes = await Promise.all(
      (['header', 'subprotocol', 'query'] as const).map(async tokenIn => {
        const client = await connect(url, { token: 'a.b.c', tokenIn });
        return (await client.nextFrame('welcome')).payload;
      }),
    );
    expect(welcomes).toEqual([
      { authorization: 'Bearer a.b.c', offered: 'hubbub.v1.json', url: '/ws' },
      { offered: 'hubbub.v1.json,bearer.a.b.c', url: '/ws' },
      { offered: 'hubbub.v1.json', url: '/ws?token=a.b.c' },
    ]);
  });

  test('returns the HTTP answer of a refused upgrade', async () => {
    const refusal = await connectRefused(`${await startEcho()}?refuse`);
    expect(refusal).toMatchObject({ status: 401, body: 'no token' });
  });

  test('fails if an upgrade is not refused', async () => {
    await expect(connectRefused(await startEcho())).rejects.toThrow('was to be refused, but got a session');
  });

  test('proves absence by a later answer of the server', async () => {
    const client = await connect(await startEcho());
    await client.noFrame('send_message');
    client.send({ type: 'send_message' });
    await expect(client.noFrame('send_message')).rejects.toThrow('expected no send_message, but got:');
  });

  test('returns the code of its close', async () => {
    const client = await connect(await startEcho());
    expect(await client.close()).toEqual({ code: 1000, reason: '' });
    const other = await connect(await startEcho());
    expect(await other.terminate()).toMatchObject({ code: 1006 });
  });
});
