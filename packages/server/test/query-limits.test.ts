/** Limits of a query to presence: its signal and its timeout. A real HTTP server that does not answer. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MemoryCluster } from '@hubbub/broker';
import { beforeEach, expect, test } from 'vitest';
import { cleanup } from '../../../tests/support/cleanup.js';
import { createHubbub, type PresenceQueries } from '../src/index.js';

let presence: PresenceQueries;

beforeEach(async () => {
  const silent = createServer(() => {});
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve));
  cleanup(() => {
    silent.closeAllConnections();
    silent.close();
  });
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  presence = createHubbub(new MemoryCluster().open(), {
    presence: { url, apiKey: 'key', timeoutMs: 600_000 },
  }).presence;
});

test('a query that takes longer than its timeout rejects with UNAVAILABLE', async () => {
  const options = { timeoutMs: 50 };
  const queries = [presence.online(options), presence.user('u1', options), presence.roster('general', options)];
  for (const query of queries) await expect(query).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

test('a query whose signal aborts rejects with its reason', async () => {
  const controller = new AbortController();
  const reason = new Error('not needed any more');
  const options = { signal: controller.signal };
  const queries = [presence.online(options), presence.user('u1', options), presence.roster('general', options)];
  controller.abort(reason);
  for (const query of queries) await expect(query).rejects.toBe(reason);
});

test('an invalid timeout is refused by name', async () => {
  await expect(presence.online({ timeoutMs: 0 })).rejects.toMatchObject({
    code: 'INVALID_FORMAT',
    message: expect.stringContaining('timeoutMs'),
  });
});
