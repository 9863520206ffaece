/** Requires that a message of one client reaches another: `node deploy/ci/exchange.mjs <url> <token> <other token>`. */
import { HubbubClient } from '@hubbub/client';

const ROOM = 'chat:general';
const TIMEOUT_MS = 30_000;
const [url, ...tokens] = process.argv.slice(2);
const timer = setTimeout(() => {
  console.error(`No message arrived within ${TIMEOUT_MS} ms.`);
  process.exit(1);
}, TIMEOUT_MS);

const [one, two] = tokens.map(token => new HubbubClient({ url, token }));
await Promise.all([one.connect(), two.connect()]);
const rooms = [one.room(ROOM), two.room(ROOM)];
const received = new Promise(resolve => rooms[1].on('new_message', resolve));
await Promise.all(rooms.map(room => room.join()));
await rooms[0].send({ content: 'Hello' });
const { sender, payload } = await received;
console.log(`${sender.name}: ${payload.content}`);
clearTimeout(timer);
one.close();
two.close();
