/**
 * Tries the image of the examples on a cluster out of the image of Hubbub: the page is there, somebody signs in and chats over
 * two edges, and a room that was added is there after the service was started anew. Needs redis-server on the PATH.
 */
import { spawn } from 'node:child_process';
import { chownSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { ended, healthy, startListening, userOf } from './run-image.mjs';

const SECRET = 'only-for-the-rehearsal-of-the-image-steps';
const WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 100;

/**
 * @param {import('./run-image.mjs').Image} image of the examples
 * @param {import('./run-image.mjs').Image} hubbub
 */
export async function tryExample(image, hubbub) {
  const stops = [];
  try {
    const folder = writableFolder(image);
    const redis = await startRedis(folder, stops);
    const hub = {
      HUBBUB_REDIS_URL: redis,
      HUBBUB_JWT_SECRET: SECRET,
      HUBBUB_PRESENCE_API_KEYS: SECRET,
      HUBBUB_CONFIG: join(image.directory, 'examples/chat/hub.yaml'),
      HUBBUB_PORT: '0',
      HUBBUB_ADMIN_PORT: '0',
      HUBBUB_DRAIN_DELAY_MS: '0',
      HUBBUB_DRAIN_WINDOW_MS: '0',
    };
    const [presence, ...edges] = await Promise.all(
      ['presence', 'edge', 'edge'].map(async command => {
        const running = await startListening(hubbub, [command], hub);
        stops.push(() => running.stop());
        return running.told;
      }),
    );
    const service = {
      HUBBUB_REDIS_URL: redis,
      HUBBUB_JWT_SECRET: SECRET,
      EXAMPLE_HOST: '127.0.0.1',
      EXAMPLE_PORT: '0',
      EXAMPLE_EDGES: edges.map(({ port }) => `ws://127.0.0.1:${port}`).join(','),
      EXAMPLE_PRESENCE_URL: `http://127.0.0.1:${presence.adminPort}`,
      EXAMPLE_PRESENCE_API_KEY: SECRET,
      TMPDIR: folder,
    };
    const { CMD } = image.facts;
    const first = await startListening(image, CMD, service);
    stops.push(() => first.stop());
    const { url } = first.told;
    await healthy(image, args => args.map(arg => arg.replace(/^http:\/\/[^/]+/, url)));
    await tryPage(url);
    const room = await tryChat(image, url);
    await stops.pop()();
    const second = await startListening(image, CMD, service);
    stops.push(() => second.stop());
    const { rooms } = await ask(second.told.url, '/api/rooms');
    if (!rooms.some(({ id }) => id === room)) throw new Error(`${room} is gone with the service.`);
    console.log(`${CMD.join(' ')}: started anew, still has ${room}`);
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

/** The page and what it loads from the service. */
async function tryPage(url) {
  const page = await (await fetch(`${url}/`)).text();
  const parts = [...page.matchAll(/(?:src|href)="\.?\/?(app\.(?:js|css))"/g)].map(([, part]) => part);
  if (parts.length !== 2) throw new Error(`The page loads ${parts.join(' and ') || 'nothing'}.`);
  for (const part of parts) {
    const answer = await fetch(`${url}/${part}`);
    if (!answer.ok) throw new Error(`/${part}: ${answer.status}`);
    console.log(`${url}/${part}: ${(await answer.arrayBuffer()).byteLength} bytes`);
  }
}

/** Two people on two edges, with the SDK that is in the image. Resolves with the room that one of them added. */
async function tryChat(image, url) {
  const sdk = pathToFileURL(join(image.directory, 'packages/client/dist/index.js')).href;
  const { HubbubClient } = await import(sdk);
  const { edges } = await ask(url, '/config.json');
  const clients = await Promise.all(
    ['Alice', 'Bob'].map(async (name, at) => {
      const { token } = await ask(url, '/api/sign-in', { name });
      return new HubbubClient({ url: `${edges[at]}/ws`, token });
    }),
  );
  try {
    const [, bob] = clients;
    await Promise.all(clients.map(client => client.connect()));
    const [hers, his] = clients.map(client => client.room('chat:general'));
    await Promise.all([hers.join(), his.join()]);
    const heard = once(resolve => his.on('new_message', resolve), 'what Alice says on the other edge');
    await hers.send({ content: 'Good morning' });
    console.log(`Bob hears: ${JSON.stringify((await heard).payload)}`);
    const listed = once(resolve => bob.on('room_listed', resolve), 'of the new room');
    const { room } = await ask(url, '/api/rooms', { name: 'Rehearsal' });
    await listed;
    await untilOnline(url, clients.length);
    console.log('The service is heard on both edges, and asks presence.');
    return room.id;
  } finally {
    for (const client of clients) client.close();
  }
}

/** Presence counts them a moment after they came. */
async function untilOnline(url, count) {
  const deadline = performance.now() + WITHIN_MS;
  for (;;) {
    const { online } = await ask(url, '/ws/online');
    if (online === count) return;
    if (performance.now() > deadline) throw new Error(`${online} are online, not ${count}.`);
    await delay(LOOK_EVERY_MS);
  }
}

function once(listen, what) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`Nobody hears ${what}.`)), WITHIN_MS);
    listen(value => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}

async function ask(url, path, body) {
  const init = body && { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const answer = await fetch(`${url}${path}`, init);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return await answer.json();
}

/** What the container has as /tmp. */
function writableFolder(image) {
  const folder = mkdtempSync(join(image.home, 'tmp-'));
  const user = userOf();
  if (user !== undefined) chownSync(folder, user, user);
  return folder;
}

/** One that keeps nothing. At a socket and not at a port, which somebody else might take first. */
async function startRedis(folder, stops) {
  const socket = join(folder, 'redis.sock');
  const place = ['--port', '0', '--unixsocket', socket, '--unixsocketperm', '777', '--dir', folder];
  const child = spawn('redis-server', [...place, '--save', '', '--appendonly', 'no'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const end = ended(child);
  stops.push(async () => {
    child.kill();
    await end;
  });
  const refused = end.then(({ output }) => Promise.reject(new Error(`redis-server does not start:\n${output}`)));
  await Promise.race([
    new Promise(resolve => {
      createInterface({ input: child.stdout }).on('line', line => line.includes('ready to accept') && resolve());
    }),
    refused,
  ]);
  refused.catch(() => {}); // Later it ends because it is told to.
  return `unix://${socket}`;
}
