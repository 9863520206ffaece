/** The program of docs/webhooks.md, run as it is written, receives events of a cluster. */
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { programsOf } from '../guides/programs.js';
import { SECRET } from './receiver.js';
import { startWebhookStory } from './story.js';

test('the receiver in Node verifies requests and prints their events', async () => {
  const programs = await programsOf('docs/webhooks.md');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const receiver = await programs.run('receiver.mjs', [SECRET, String(port)]);
  await receiver.says('listening');
  const { play } = await startWebhookStory({ webhook: { url } });
  await play('game:1', 1);
  await receiver.says(/^game\/\d+-\d+ move game:1$/);
  const forged = await fetch(url, { method: 'POST', body: '{"events":[]}' });
  expect(forged.status).toBe(401);
  receiver.stop();
});

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}
