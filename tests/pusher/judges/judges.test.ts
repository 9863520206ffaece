/** Test suites and libraries of others judge the Pusher protocol: each runs unchanged, as a process of its own. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '@hubbub/tools/kit';
import Echo from 'laravel-echo';
import { beforeAll, expect, test } from 'vitest';
import { PROVISION_TIMEOUT_MS, provisionPython } from '../../support/provision.js';
import { nextEvent, type PusherStory, startPusherStory, subscribed } from '../story.js';
import { startBackEnd } from './back-end.js';
import { startProgram } from './program.js';

/** Of the suite of pusher-js. */
const KEY = 'c49a449b916bb4246729';
const SUITE_TIMEOUT_MS = 400_000;
/** Cases of its suite, over WebSockets without TLS. */
const PUSHER_JS_CASES = 33;

let story: PusherStory;
let url: string;

beforeAll(async () => {
  story = await startPusherStory({
    app: { id: '1', key: KEY },
    // The suite names the hosts of Pusher.
    env: { HUBBUB_ALLOWED_HOSTS: 'ws-mt1.pusher.com' },
  });
  url = `http://${KEY}:7ad3773142a6692b25b8@127.0.0.1:${story.api.process.port}/apps/1`;
});

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** A folder in `.cache` with the packages of `package.json`, installed once. */
function installPackages(): string {
  const content = createHash('sha256')
    .update(readFileSync(path('package.json')))
    .digest('hex')
    .slice(0, 12);
  const folder = path(`../../../.cache/pusher-judges-${content}`);
  const complete = join(folder, 'complete');
  if (existsSync(complete)) return folder;
  mkdirSync(folder, { recursive: true });
  cpSync(path('package.json'), join(folder, 'package.json'));
  const options = { cwd: folder, stdio: 'inherit' } as const;
  const { status } = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock'], options);
  if (status !== 0) throw new Error(`npm must reach its registry to install ${folder}/package.json.`);
  writeFileSync(complete, '');
  return folder;
}

test(
  'the integration suite of pusher-js passes',
  async () => {
    const env = {
      PUSHER_WS_PORT: String(story.cluster.edge(0).process.port),
      PUSHER_AUTH_URL: await startBackEnd(story.server),
    };
    const command = [process.execPath, path('pusher-js-suite.mjs')];
    const { code, lines } = await startProgram(command, { env, cwd: installPackages() });
    expect(lines.filter(line => line.startsWith('failed') || line.startsWith('  '))).toEqual([]);
    expect(lines.filter(line => line.startsWith('passed')).length).toBe(PUSHER_JS_CASES);
    expect(code).toBe(0);
  },
  SUITE_TIMEOUT_MS,
);

test('the remote tests of the server SDK for Node pass, those with a proxy too', {
  timeout: SUITE_TIMEOUT_MS,
}, async () => {
  const cwd = installPackages();
  const command = [
    process.execPath,
    'node_modules/mocha/bin/mocha.js',
    '--recursive',
    'node_modules/pusher/tests/remote',
  ];
  const { code, lines } = await startProgram(command, { env: { PUSHER_URL: url }, cwd });
  expect(lines.join('\n')).toMatch(/\d+ passing/);
  expect(lines.filter(line => /failing|^\s*\d+\) /.test(line))).toEqual([]);
  expect(code).toBe(0);
});

test(
  'the server SDK for Python triggers, reads channels, and signs subscriptions',
  async () => {
    const python = provisionPython(path('requirements.txt'));
    const client = story.client(1, { user: { user_id: 'ann' } });
    const channel = await subscribed(client, 'presence-python');
    await eventually(async () => {
      const answer = await story.server.get({ path: '/channels/presence-python' });
      return ((await answer.json()) as { occupied: boolean }).occupied;
    });
    const greeting = nextEvent(channel, 'greeting');
    const env = { PUSHER_PORT: String(story.api.process.port), SOCKET_ID: client.connection.socket_id };
    const { code, lines } = await startProgram([python, path('back_end.py')], { env });
    expect(lines.slice(0, 2)).toEqual(["channels: {'user_count': 1}", "users: [{'id': 'ann'}]"]);
    expect(code).toBe(0);
    expect(await greeting).toEqual({ text: 'hello from Python' });
    const auth = lines[2]?.replace('auth: ', '');
    client.send_event('pusher:subscribe', { channel: 'private-python', auth });
    await eventually(async () => {
      const { channels } = (await (await story.server.get({ path: '/channels' })).json()) as { channels: object };
      return 'private-python' in channels;
    });
  },
  PROVISION_TIMEOUT_MS,
);

test('Laravel Echo listens to events, whispers, and knows who is here', async () => {
  const one = new Echo({ broadcaster: 'pusher', client: story.client(0, { user: { user_id: 'ann' } }) });
  const other = new Echo({ broadcaster: 'pusher', client: story.client(1, { user: { user_id: 'bob' } }) });
  const here = new Promise<unknown[]>(resolve => void one.join('echo').here(resolve));
  expect(await here).toHaveLength(1);
  const joining = new Promise<unknown>(resolve => void one.join('echo').joining(resolve));
  const channel = other.join('echo');
  await joining;
  const paid = new Promise<unknown>(resolve => void channel.listen('.order.paid', resolve));
  await story.server.trigger('presence-echo', 'order.paid', { order: 7 });
  expect(await paid).toEqual({ order: 7 });
  const whisper = new Promise<unknown>(resolve => void one.join('echo').listenForWhisper('typing', resolve));
  channel.whisper('typing', { who: 'bob' });
  expect(await whisper).toEqual({ who: 'bob' });
});
