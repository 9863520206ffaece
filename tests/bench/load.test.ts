/** The load generators of the benchmarks read and send what the servers of others do. */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { json } from 'node:stream/consumers';
import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { createMessageMaker, MessagePlaces } from '../../tools/bench/load/messages.mjs';
import { PusherPublisher } from '../../tools/bench/load/pusher-publisher.mjs';
import { RawEventStream } from '../../tools/bench/load/raw-event-stream.mjs';
import { cleanup } from '../support/cleanup.js';

const APP = { id: 'app', key: 'key', secret: 'secret' };

test('a member reads number and time of an event of the Pusher protocol', () => {
  const make = createMessageMaker({ rooms: ['news', 'other'], frameBytes: 200, form: 'pusher' });
  const { name, channel, data } = JSON.parse(String(make(1, 42, 1234))) as Record<string, string>;
  const frame = Buffer.from(JSON.stringify({ event: name, channel, data }));
  expect([channel, frame.length]).toEqual(['other', 200]);
  const places = new MessagePlaces();
  const found = places.find(frame, 0, frame.length);
  expect([found, places.number, places.timeUs]).toEqual([true, 42, 1234]);
});

const EVENTS = ['retry: 1', 'data: {"type":"one"}', 'id: a:1\ndata: {"type":"two"}'];
const HEAD = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
const STREAM = Buffer.from(
  HEAD + EVENTS.map(event => `${(event.length + 2).toString(16)}\r\n${event}\n\n\r\n`).join(''),
);

test.for([1, 2, 3, 7, 50, STREAM.length])('a reader gets whole events from reads of %i bytes', async size => {
  const server = createServer({ noDelay: true }, async socket => {
    socket.on('error', () => {}); // The reader goes first.
    for (let at = 0; at < STREAM.length; at += size) {
      socket.write(STREAM.subarray(at, at + size));
      await new Promise(setImmediate);
    }
  }).listen(0, '127.0.0.1');
  cleanup(() => server.close());
  await once(server, 'listening');
  const events: string[] = [];
  const stream = new RawEventStream({
    port: (server.address() as AddressInfo).port,
    path: '/rooms/general/events',
    headers: {},
    onData: (bytes, start, length) => events.push(bytes.toString('latin1', start, start + length)),
    onEnd: () => {},
  });
  cleanup(() => stream.destroy());
  await eventually(() => events.length === EVENTS.length);
  expect(events.map(event => event.replace(/^(\r\n)?[0-9a-f]+\r\n/, ''))).toEqual(EVENTS);
});

test('a publisher over the HTTP API of Pusher keeps the order of a channel, and stops while the API is busy', async () => {
  const requests: { path: string; names: string[]; answer: (status: number) => void }[] = [];
  const server = createHttpServer(async (request, response) => {
    const { batch } = (await json(request)) as { batch: { name: string }[] };
    const answer = (status: number): void => {
      response.writeHead(status).end('{}');
    };
    requests.push({ path: request.url ?? '', names: batch.map(({ name }) => name), answer });
  }).listen(0, '127.0.0.1');
  cleanup(() => server.close());
  await once(server, 'listening');
  const publisher = new PusherPublisher({ port: (server.address() as AddressInfo).port, app: APP });
  cleanup(() => publisher.close());
  const add = (name: number): void => publisher.add(0, Buffer.from(JSON.stringify({ name: String(name) })));

  add(0);
  publisher.flush();
  await eventually(() => requests.length === 1);
  expect(requests[0]?.path).toMatch(/^\/apps\/app\/batch_events\?auth_key=key&.*body_md5=.*&auth_signature=/);
  for (let name = 1; publisher.takes(0); name++) add(name);
  publisher.flush();
  expect(publisher.takes(1)).toBe(true);
  requests[0]?.answer(200);
  await eventually(() => requests.length === 2);
  expect(requests[1]?.names).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9', '10']);
  requests[1]?.answer(429);
  await publisher.answered();
  expect(publisher.unheard).toBe(10);
});
