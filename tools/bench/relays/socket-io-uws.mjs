/** Socket.IO with its Redis adapter, on uWebSockets.js: the same binary as Hubbub's. */
import { loadEngine } from '@hubbub/edge';
import { Server } from 'socket.io';
import { announce, serveRooms, serverOptions } from './socket-io.mjs';

const [redisUrl, secret] = process.argv.slice(2);
const { module: uws } = loadEngine();
const app = uws.App();
const io = new Server(serverOptions(redisUrl));
// The same limit for slow readers as Hubbub's.
io.attachApp(app, { maxBackpressure: 1024 * 1024 });
serveRooms(io, secret);
app.listen('127.0.0.1', 0, uws.LIBUS_LISTEN_EXCLUSIVE_PORT, token => announce(uws.us_socket_local_port(token)));
