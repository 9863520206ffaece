// An instance of a service, as a process of its own: it consumes the events of `game` and prints each one that it handles.
// Arguments: Redis URL, prefix, its name, leaseMs. An event of the text `poison` ends it.
import { connectHubbub } from '@hubbub/server';

const [redisUrl, redisPrefix, name, leaseMs] = process.argv.slice(2);
const hubbub = connectHubbub({ redisUrl, redisPrefix });
const consumer = hubbub.onEvents('game', { group: 'referee', leaseMs: Number(leaseMs) }, async event => {
  console.log(`begins ${event.payload.text} ${event.attempt}`);
  // The delay lets other events begin before the process ends.
  if (event.payload.text === 'poison') setImmediate(() => process.kill(process.pid, 'SIGKILL'));
  if (event.payload.text === 'poison') await new Promise(() => {});
  await new Promise(resolve => setTimeout(resolve, event.payload.text.startsWith('slow') ? 200 : 0));
  console.log(`handles ${event.payload.text}`);
});
process.on('SIGTERM', async () => {
  await hubbub.close();
  console.log('closed');
});
const looking = setInterval(() => {
  if (!consumer.leading) return;
  console.log(`${name} leads`);
  clearInterval(looking);
}, 10);
