/** Socket.IO with its Redis adapter, on ws: started as in its documentation. */
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { announce, serveRooms, serverOptions } from './socket-io.mjs';

const [redisUrl, secret] = process.argv.slice(2);
const http = createServer();
serveRooms(new Server(http, serverOptions(redisUrl)), secret);
http.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => announce(http.address().port));
