/** Test suites and libraries of others judge the Pusher protocol: each runs unchanged, as a process of its own. */
import { fileURLToPath } from 'node:url';
import { eventually, installedPackages } from '@hubbub/tools/kit';
import Echo from 'laravel-echo';
import { beforeAll, expect, test } from 'vitest';
import { openBrowser } from '../../support/browser.js';
import { buildGoProgram } from '../../support/go-program.js';
import { PROVISION_TIMEOUT_MS, provisionPython } from '../../support/provision.js';
import { nextEvent, type PusherStory, startPusherStory, subscribed } from '../story.js';
import { startBackEnd } from './back-end.js';
import { ECHO_PAGES, openEchoPage } from './echo-page.js';
import { startProgram } from './program.js';

/** Of the suite of pusher-js. */
const KEY = 'c49a449b916bb4246729';
const SUITE_TIMEOUT_MS = 400_000;
/** Cases of its suite, over WebSockets without TLS. */
const PUSHER_JS_CASES = 33;

const goBackEnd = await buildGoProgram('pusher-back-end');

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
const installPackages = (): string => installedPackages('pusher-judges', new URL('package.json', import.meta.url));

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

/** Each of them does the same. `undefined` where its language is missing. */
const BACK_ENDS: ReadonlyArray<readonly [language: string, command: () => readonly string[] | undefined]> = [
  ['Python', () => [provisionPython(path('requirements.txt')), path('back_end.py')]],
  ['Go', () => (goBackEnd === undefined ? undefined : [goBackEnd])],
];

test.for(BACK_ENDS)(
  'the server SDK for %s triggers, reads channels, and signs subscriptions',
  { timeout: PROVISION_TIMEOUT_MS },
  async ([, command], { skip }) => {
    const program = command();
    if (program === undefined) return skip('its language is missing');
    const client = story.client(1, { user: { user_id: 'ann' } });
    const channel = await subscribed(client, 'presence-judged');
    await eventually(async () => {
      const answer = await story.server.get({ path: '/channels/presence-judged' });
      return ((await answer.json()) as { occupied: boolean }).occupied;
    });
    const greeting = nextEvent(channel, 'greeting');
    const news = await subscribed(story.client(0), 'news');
    const received: unknown[] = [];
    news.bind('e', (data: unknown) => received.push(data));
    const env = { PUSHER_PORT: String(story.api.process.port), SOCKET_ID: client.connection.socket_id };
    const { code, lines } = await startProgram(program, { env });
    expect(lines).toEqual(['members: 1', 'first user: ann', expect.stringMatching(/^auth: /)]);
    expect(code).toBe(0);
    expect(await greeting).toEqual({ text: 'hello' });
    await eventually(() => received.length === 2);
    expect(received).toEqual([1, 2]);
    const auth = lines[2]?.replace('auth: ', '');
    client.send_event('pusher:subscribe', { channel: 'private-judged', auth });
    await eventually(async () => {
      const { channels } = (await (await story.server.get({ path: '/channels' })).json()) as { channels: object };
      return 'private-judged' in channels;
    });
    client.disconnect();
    await eventually(async () => {
      const answer = await story.server.get({ path: '/channels/presence-judged' });
      return !((await answer.json()) as { occupied: boolean }).occupied;
    });
  },
);

test('Laravel Echo in Node listens to events, whispers, and knows who is here', async () => {
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

test(
  'Laravel Echo in Chromium listens to events, whispers, and sees who comes and goes',
  async () => {
    const backEnd = await startBackEnd(story.server, ECHO_PAGES);
    const browser = await openBrowser();
    const open = (edge: number) =>
      openEchoPage(browser, { backEnd, key: KEY, port: story.cluster.edge(edge).process.port });
    const one = await open(0);
    await eventually(async () => (await one.seen()).includes('here 1'));
    const other = await open(1);
    await eventually(async () => (await one.seen()).includes('joining') && (await other.seen()).includes('here 2'));
    await story.server.trigger('presence-page', 'order.paid', { order: 7 });
    await eventually(async () => (await one.seen()).includes('paid 7') && (await other.seen()).includes('paid 7'));
    await other.run("channel.whisper('typing', { who: 'other' })");
    await eventually(async () => (await one.seen()).includes('typing other'));
    await other.run("echo.leave('page')");
    await eventually(async () => (await one.seen()).includes('leaving'));
    expect(await one.seen()).toEqual(['here 1', 'joining', 'paid 7', 'typing other', 'leaving']);
    expect(await other.seen()).toEqual(['here 2', 'paid 7']);
  },
  PROVISION_TIMEOUT_MS,
);
