/** The least a relay can be, as the measure of all others: one room, uWebSockets.js, ioredis, nothing checked. */

import { loadEngine } from '@hubbub/edge'; // The same binary as Hubbub's.
import { Redis } from 'ioredis';

const [redisUrl, room] = process.argv.slice(2);
const { module: uws } = loadEngine();
const app = uws.App();

app.ws('/rooms/:room/ws', {
  // As Hubbub sets them: the two must differ in nothing but what they do.
  maxBackpressure: 1024 * 1024,
  closeOnBackpressureLimit: true,
  idleTimeout: 60,
  open: socket => socket.subscribe(room),
});

const redis = new Redis(redisUrl);
redis.on('messageBuffer', (_channel, bytes) => app.publish(room, bytes, false));
await redis.subscribe(`bare:${room}`);

app.listen('127.0.0.1', 0, uws.LIBUS_LISTEN_EXCLUSIVE_PORT, token => {
  console.log(JSON.stringify({ event: 'listening', port: uws.us_socket_local_port(token) }));
});
process.on('SIGTERM', () => process.exit());
