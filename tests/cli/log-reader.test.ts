/** A process whose log nobody reads any more ends like any other: its supervisor would wait for it for ever. */
import { expect, test } from 'vitest';
import { startProcess } from '../support/process.js';

test('SIGTERM ends a hub in good order after whoever read its log has gone', async () => {
  const hub = await startProcess(['start'], { env: { HUBBUB_PORT: '0', HUBBUB_ADMIN_PORT: '0' } });
  hub.child.stdout?.destroy();
  hub.child.stderr?.destroy();
  expect(await hub.kill('SIGTERM')).toMatchObject({ code: 0 });
});
