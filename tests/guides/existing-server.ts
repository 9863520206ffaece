/** docs/guides/existing-server.md: an HTTP server and a hub in one process. */

import { eventually, freePort, signToken, TEST_JWT_SECRET } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import type { Consumer } from '../packages/consumer.js';
import { connect } from '../support/raw-client.js';
import { programsOf } from './programs.js';

/** Runs the guide in the folder of a consumer that has Express. */
export function describeExistingServer(installed: () => Consumer): void {
  describe('existing-server.md', () => {
    test('a request to the HTTP server reaches the members of a room, and both end together', async () => {
      const guide = await programsOf('docs/guides/existing-server.md', installed().folder);
      const [port, hubPort] = [await freePort(), await freePort()];
      const env = { HUBBUB_JWT_SECRET: TEST_JWT_SECRET, PORT: String(port), HUBBUB_PORT: String(hubPort) };
      const program = await guide.run('server.mjs', [], { env });
      const url = `http://127.0.0.1:${port}`;
      await eventually(async () => (await (await fetch(`${url}/healthz`)).json()).ready, { describe: 'it is ready' });
      const one = await connect(`ws://127.0.0.1:${hubPort}/ws`, { token: signToken({ user: 'u1' }) });
      await one.join('orders');
      expect((await fetch(`${url}/orders/7/payment`, { method: 'POST' })).status).toBe(204);
      expect(await one.nextFrame('order.paid')).toMatchObject({ room: 'orders', payload: { order: '7' } });
      program.stop();
      await program.ends();
      await one.closed;
    });
  });
}
