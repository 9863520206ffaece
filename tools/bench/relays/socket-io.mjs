/** Socket.IO with its Redis adapter: on ws, as in its documentation, or on uWebSockets.js, the same binary as Hubbub's. */
import { createServer } from 'node:http';
import { loadEngine } from '@hubbub/edge';
import { createAdapter } from '@socket.io/redis-adapter';
import { createVerifier } from 'fast-jwt';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';

/** The same time limits for dead connections as Hubbub's. */
const PING_INTERVAL_MS = 30_000;
const PING_TIMEOUT_MS = 30_000;
/** The same limit for slow readers as Hubbub's. */
const MAX_BACKPRESSURE = 1024 * 1024;

const [redisUrl, secret, engine] = process.argv.slice(2);
if (engine === 'uws') {
  const { module: uws } = loadEngine();
  const app = uws.App();
  const io = new Server(serverOptions());
  io.attachApp(app, { maxBackpressure: MAX_BACKPRESSURE });
  serveRooms(io);
  app.listen('127.0.0.1', 0, uws.LIBUS_LISTEN_EXCLUSIVE_PORT, token => announce(uws.us_socket_local_port(token)));
} else {
  const http = createServer();
  serveRooms(new Server(http, serverOptions()));
  http.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => announce(http.address().port));
}

/** @returns {Partial<import('socket.io').ServerOptions>} */
function serverOptions() {
  const publisher = new Redis(redisUrl);
  return {
    adapter: createAdapter(publisher, publisher.duplicate()),
    transports: ['websocket'],
    serveClient: false,
    perMessageDeflate: false, // As in Hubbub.
    pingInterval: PING_INTERVAL_MS,
    pingTimeout: PING_TIMEOUT_MS,
  };
}

/** Serves the same rooms and tokens as the other relays. @param {Server} io */
function serveRooms(io) {
  const verify = createVerifier({ key: secret, algorithms: ['HS256'] }); // The same library as Hubbub's.
  io.use(({ handshake, data }, next) => {
    try {
      data.user = verify(handshake.headers.authorization.slice('Bearer '.length)).sub;
      next();
    } catch {
      next(new Error('UNAUTHORIZED'));
    }
  });
  io.on('connection', socket => {
    const { room } = socket.handshake.query;
    void socket.join(room);
    socket.on('say', (message, acknowledge) => {
      socket.to(room).emit('new_message', { ...message, sender: socket.data.user });
      acknowledge();
    });
  });
}

/** @param {number} port */
function announce(port) {
  console.log(JSON.stringify({ event: 'listening', port }));
  process.on('SIGTERM', () => process.exit());
}
