/** The programs of docs/webhooks.md, run as they are written, receive events of a cluster. */
import { eventually, freePort } from '@hubbub/tools/kit';
import { beforeAll, expect, test } from 'vitest';
import { API_KEY, startApi } from '../api/api-process.js';
import { type Programs, programsOf, startProgram } from '../guides/programs.js';
import { PROVISION_TIMEOUT_MS, provisionBarePython, provisionPhp, titleOf } from '../support/provision.js';
import { connect } from '../support/raw-client.js';
import { SECRET } from './receiver.js';
import { startWebhookStory } from './story.js';

const php = provisionPhp();
let page: Programs;

beforeAll(async () => {
  page = await programsOf('docs/webhooks.md');
  if (php === undefined) await page.write('receiver.php'); // Counts as used; the title reports that it was skipped.
}, PROVISION_TIMEOUT_MS);

const forge = (url: string) => fetch(url, { method: 'POST', body: '{"events":[]}' });

test.each([
  ['receiver.mjs', () => ({})],
  ['receiver.py', () => ({ interpreter: provisionBarePython() })],
])('%s verifies requests and prints their events', async (file, provision) => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const args = file === 'receiver.mjs' ? [SECRET, String(port)] : [String(port)];
  const receiver = await page.run(file, args, { ...provision(), env: { WEBHOOK_SECRET: SECRET } });
  await receiver.says('listening');
  const { play } = await startWebhookStory({ webhook: { url } });
  await play('game:1', 1);
  await receiver.says(/^game\/\d+-\d+ move game:1$/);
  expect((await forge(url)).status).toBe(401);
});

test.skipIf(php === undefined)(`receiver.php answers the sender of an event, once ${titleOf(php, 'PHP')}`, async () => {
  const [port, apiPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}/`;
  const env = { WEBHOOK_SECRET: SECRET, API_URL: `http://127.0.0.1:${apiPort}`, API_KEY };
  const path = await page.write('receiver.php');
  startProgram(php ?? '', ['-S', `127.0.0.1:${port}`, path], env);
  await eventually(async () => (await forge(url)).status === 401, { describe: 'PHP refuses a forged request' });
  const { cluster } = await startWebhookStory({ webhook: { url } });
  const ann = await connect(cluster.edge(0).wsUrl, { token: cluster.token({ user: 'ann' }) });
  await ann.join('game:1');
  ann.send({ type: 'move', room: 'game:1', id: 'm1', payload: { to: 'e4' } });
  await ann.nextFrame({ type: 'ack', id: 'm1' });
  // The API is down: PHP refuses the request, and Hubbub repeats it.
  await startApi(cluster, { env: { HUBBUB_API_PORT: String(apiPort) } });
  expect(await ann.nextFrame('move.seen')).toMatchObject({ room: 'game:1', id: 'm1', payload: { to: 'e4' } });
  await ann.noFrame('move.seen');
});
