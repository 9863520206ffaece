/** The minimal relay, as the baseline of all others: rooms, uWebSockets.js and ioredis, without any check. */

import { loadEngine } from '@hubbub/edge'; // The same binary as Hubbub's.
import { Redis } from 'ioredis';

const [redisUrl] = process.argv.slice(2);
const { HUBBUB_IDLE_TIMEOUT_MS: idleTimeoutMs = 60_000 } = process.env;
const { module: uws } = loadEngine();
const app = uws.App();
const [publisher, subscriber] = [new Redis(redisUrl), new Redis(redisUrl)];

app.ws('/rooms/:room/ws', {
  // The same settings as Hubbub's, so that only the work differs.
  maxBackpressure: 1024 * 1024,
  closeOnBackpressureLimit: true,
  idleTimeout: Number(idleTimeoutMs) / 1000,
  upgrade: (response, request, context) => {
    const headers = ['key', 'protocol', 'extensions'].map(name => request.getHeader(`sec-websocket-${name}`));
    const data = { room: request.getParameter(0), listens: request.getQuery('talks') === undefined };
    response.upgrade(data, ...headers, context);
  },
  open: socket => {
    const { room, listens } = socket.getUserData();
    if (listens && app.numSubscribers(room) === 0) void subscriber.subscribe(`bare:${room}`);
    if (listens) socket.subscribe(room); // Talkers do not receive their own messages.
  },
  message: async (socket, bytes) => {
    await publisher.publish(`bare:${socket.getUserData().room}`, Buffer.from(bytes.slice(0)));
    socket.send('{"type":"ack"}');
  },
});

subscriber.on('messageBuffer', (channel, bytes) => app.publish(channel.toString('latin1', 5), bytes, false));

app.listen('127.0.0.1', 0, uws.LIBUS_LISTEN_EXCLUSIVE_PORT, token => {
  console.log(JSON.stringify({ event: 'listening', port: uws.us_socket_local_port(token) }));
});
process.on('SIGTERM', () => process.exit());
