/** A flood from a few addresses, in a process of its own: silent connections, handshakes, frames. Reports the results as log lines. */
import { connect } from 'node:net';
import { WebSocket } from 'ws';

const { FLOOD_PORT, FLOOD_TOKEN, FLOOD_CONNECTIONS } = process.env;
const port = Number(FLOOD_PORT);
const connections = Number(FLOOD_CONNECTIONS);
const AT_ONCE = 100;
const [SILENT, HANDSHAKES, FRAMES] = ['127.0.1.1', '127.0.1.2', '127.0.1.3'];
const [SESSIONS, FRAMES_EACH] = [20, 1000];

const say = (event, figures = {}) => console.log(JSON.stringify({ event, ...figures }));

async function inParallel(count, task) {
  let next = 0;
  const worker = async () => {
    while (next < count) await task(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Connections that send nothing and stay as long as they may. Resolves when it is open, or was ended. */
const silent = () =>
  new Promise(resolve => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: SILENT });
    socket.on('error', () => {});
    socket.on('close', () => {
      resolve();
      if (++tally.silentEnded === connections) allSilentEnded();
    });
    socket.on('connect', () => setTimeout(resolve, 20));
    socket.resume();
  });

const session = (localAddress, count) =>
  new Promise(resolve => {
    const headers = { authorization: `Bearer ${FLOOD_TOKEN}` };
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { localAddress, headers });
    let isKnown = false;
    const known = status => {
      if (isKnown) return;
      isKnown = true;
      tally[count][status] = (tally[count][status] ?? 0) + 1;
      resolve(status === 101 ? socket : undefined);
    };
    socket.on('open', () => known(101));
    socket.on('unexpected-response', (request, response) => {
      known(response.statusCode);
      request.destroy();
    });
    // Too many of this address had sent nothing yet: ended before it could ask.
    socket.on('error', () => known('ended'));
  });

async function frames(index) {
  const socket = await session(FRAMES, 'frameSessions');
  if (socket === undefined) return;
  const closed = new Promise(resolve => socket.on('close', resolve));
  socket.on('message', data => {
    const { payload } = JSON.parse(data);
    if (payload?.code !== undefined) tally.refusals[payload.code] = (tally.refusals[payload.code] ?? 0) + 1;
  });
  // Every other one sends unreadable frames.
  for (let n = 0; n < FRAMES_EACH; n++) socket.send(index % 2 === 0 ? '{"type":"ping"}' : 'nonsense');
  const code = await closed;
  tally.closes[code] = (tally.closes[code] ?? 0) + 1;
}

let allSilentEnded;
const silentEnd = new Promise(resolve => {
  allSilentEnded = resolve;
});
const tally = { silentEnded: 0, handshakes: {}, frameSessions: {}, refusals: {}, closes: {} };
say('listening');
await Promise.all([
  inParallel(connections, silent),
  inParallel(connections, () => session(HANDSHAKES, 'handshakes')),
  ...Array.from({ length: SESSIONS }, (_, index) => frames(index)),
  silentEnd,
]);
say('flooded', tally);
setInterval(() => {}, 60_000); // It is ended by the test.
