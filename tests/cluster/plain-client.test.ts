/**
 * The plain browser client of a chat, written for one process with only the names of PROTOCOL.md and without our SDK.
 * It must work unchanged with `npm start`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { adopt, eventually, ProcessOutput } from '@hubbub/tools/kit';
import { beforeAll, expect, test } from 'vitest';
import { openBrowser } from '../support/browser.js';
import { cleanup } from '../support/cleanup.js';
import { PLAIN_CLIENT } from '../support/plain-client.js';
import { runHubbub } from '../support/process.js';

let port: number;
let adminPort: number;

beforeAll(async () => {
  // The command of the README, with free ports.
  const child: ChildProcess = spawn('npm', ['start', '--silent'], {
    cwd: new URL('../../', import.meta.url),
    env: { ...process.env, HUBBUB_PORT: '0', HUBBUB_ADMIN_PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  adopt(child);
  const output = new ProcessOutput();
  if (child.stdout) output.read(child.stdout);
  if (child.stderr) output.read(child.stderr);
  cleanup(async () => {
    const gone = new Promise(resolve => child.once('close', resolve));
    child.kill('SIGTERM');
    await gone;
  });
  const listening = await output.waitForLog({ event: 'listening' }, { withinMs: 60_000 });
  port = Number(listening.port);
  adminPort = Number(listening.adminPort);
  await eventually(async () => (await fetch(`http://127.0.0.1:${adminPort}/readyz`)).ok, { describe: 'it is ready' });
}, 120_000);

test('two plain clients in a browser chat, type and see the roster', async () => {
  const browser = await openBrowser();
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${port}/ws/online`);
  const tokens = await Promise.all(
    ['ada', 'bob'].map(async user =>
      (await runHubbub(['token', '--user', user, '--name', user.toUpperCase()])).stdout.trim(),
    ),
  );
  const story = await page.evaluate(
    async ({ source, url, tokens: [adaToken, bobToken] }) => {
      const ChatClient = new Function(`${source}; return ChatClient;`)();
      const open = (token: string | undefined) => {
        const client = new ChatClient(url, token);
        const seen: Array<{ type: string }> = [];
        const waiting: Array<() => void> = [];
        client.emit = (type: string, message: { type: string } | undefined) => {
          seen.push(message ?? { type });
          for (const look of waiting.splice(0)) look();
          for (const handler of client.handlers[type] ?? []) handler(message);
        };
        const next = async (type: string) => {
          for (;;) {
            const found = seen.find(frame => frame.type === type);
            if (found !== undefined) {
              seen.splice(seen.indexOf(found), 1);
              return found;
            }
            await new Promise<void>(resolve => waiting.push(resolve));
          }
        };
        return { client, seen, next };
      };
      const ada = open(adaToken);
      const bob = open(bobToken);
      await Promise.all([ada.next('open'), bob.next('open')]);
      ada.client.join('general');
      const first = await ada.next('room_info');
      bob.client.join('general');
      const second = await bob.next('room_info');
      const joined = await ada.next('user_joined');
      ada.client.typing('general');
      const typing = await bob.next('user_typing');
      ada.client.say('general', 'hello');
      const message = await bob.next('new_message');
      const ack = await ada.next('ack');
      bob.client.say('nowhere', 'lost');
      const error = await bob.next('error');
      bob.client.leave('general');
      const left = await ada.next('user_left');
      const copies = ada.seen.filter(frame => frame.type === 'new_message').length;
      ada.client.stop();
      bob.client.stop();
      return { first, second, joined, typing, message, ack, error, left, copies };
    },
    { source: PLAIN_CLIENT, url: `ws://127.0.0.1:${port}/ws`, tokens },
  );

  const ada = { id: 'ada', name: 'ADA' };
  const bob = { id: 'bob', name: 'BOB' };
  expect(story.first).toMatchObject({ room: 'general', payload: { room_id: 'general', users: [ada], count: 1 } });
  expect(story.second).toMatchObject({ payload: { count: 2 } });
  expect(story.joined).toMatchObject({ room: 'general', payload: { user: bob } });
  expect(story.typing).toMatchObject({ room: 'general', sender: ada });
  expect(story.message).toMatchObject({ room: 'general', sender: ada, payload: { content: 'hello' } });
  expect(story.ack).toMatchObject({ id: (story.message as { id?: string }).id });
  expect(story.error).toMatchObject({ payload: { code: 'NOT_IN_ROOM' } });
  expect(story.left).toMatchObject({ payload: { user: bob, count: 1 } });
  expect(story.copies).toBe(0);
});
