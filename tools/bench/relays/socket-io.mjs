/** The parts common to all Socket.IO servers of these benchmarks: the same rooms and tokens as the other relays. */
import { createAdapter } from '@socket.io/redis-adapter';
import { createVerifier } from 'fast-jwt';
import { Redis } from 'ioredis';

/** The same time limits for dead connections as Hubbub's. */
const PING_INTERVAL_MS = 30_000;
const PING_TIMEOUT_MS = 30_000;

/** @param {string} redisUrl @returns {Partial<import('socket.io').ServerOptions>} */
export function serverOptions(redisUrl) {
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

/** @param {import('socket.io').Server} io @param {string} secret of the tokens */
export function serveRooms(io, secret) {
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
export function announce(port) {
  console.log(JSON.stringify({ event: 'listening', port }));
  process.on('SIGTERM', () => process.exit());
}
