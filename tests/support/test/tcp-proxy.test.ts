/** The kit's network applies its conditions. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { cleanup } from '../cleanup.js';
import { startTcpProxy } from '../tcp-proxy.js';

/** An echo server behind a proxy, and one connection to it. */
async function echoThroughProxy() {
  const server = createServer(socket => socket.on('error', () => {}).pipe(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup(() => void server.close());
  const proxy = await startTcpProxy({ to: (server.address() as AddressInfo).port });
  const socket = connect(proxy.port, '127.0.0.1');
  const received = { bytes: 0 };
  socket.on('error', () => {});
  socket.on('data', data => {
    received.bytes += data.length;
  });
  cleanup(() => void socket.destroy());
  await once(socket, 'connect');
  return { proxy, socket, received };
}

test('a perfect network passes every byte, in both directions', async () => {
  const { socket, received } = await echoThroughProxy();
  socket.write(Buffer.alloc(1_000_000));
  await eventually(() => received.bytes === 1_000_000);
});

test('a delay holds bytes back for its duration, in both directions', async () => {
  const { proxy, socket, received } = await echoThroughProxy();
  proxy.behave({ delayMs: 100 });
  const sentAt = performance.now();
  socket.write('x');
  await eventually(() => received.bytes === 1);
  expect(performance.now() - sentAt).toBeGreaterThanOrEqual(200);
});

test('a rate limits the bytes per second', async () => {
  const { proxy, socket, received } = await echoThroughProxy();
  proxy.behave({ bytesPerSecond: 10_000 });
  const sentAt = performance.now();
  socket.write(Buffer.alloc(5000));
  await eventually(() => received.bytes === 5000);
  expect(performance.now() - sentAt).toBeGreaterThanOrEqual(400);
});

test('a black hole swallows bytes silently, and releases them later', async () => {
  const { proxy, socket, received } = await echoThroughProxy();
  proxy.behave({ blackHole: true });
  socket.write('x');
  const barrier = await echoThroughProxy();
  barrier.socket.write('y');
  await eventually(() => barrier.received.bytes === 1);
  expect(received.bytes).toBe(0);
  expect(socket.destroyed).toBe(false);
  proxy.behave({});
  await eventually(() => received.bytes === 1);
});

test('cut resets connections, sever refuses new ones until restore', async () => {
  const { proxy, socket } = await echoThroughProxy();
  proxy.cut();
  await closed(socket);
  proxy.sever();
  const refused = connect(proxy.port, '127.0.0.1').on('error', () => {});
  await closed(refused);
  proxy.restore();
  const again = connect(proxy.port, '127.0.0.1');
  cleanup(() => void again.destroy());
  again.write('z');
  expect(String((await once(again, 'data'))[0])).toBe('z');
});

/** Not `events.once`, which rejects on the error of a reset. */
function closed(socket: Socket): Promise<void> {
  return new Promise(resolve => socket.once('close', () => resolve()));
}
