/** The engine warns on stderr about each answer outside `cork`: a line for each connection would flood an operator's log. */
import { expect, test } from 'vitest';
import { startEmbedded } from '../support/cluster.js';
import { connect, connectRefused } from '../support/raw-client.js';
import { says, startAuthorizer } from './authorizer-double.js';

test('beside a session, neither sessions that somebody is asked about nor refusals or pages make the engine warn', async () => {
  const authorizer = await startAuthorizer();
  const cluster = await startEmbedded({
    env: {
      HUBBUB_AUTHORIZER_URL: authorizer.url,
      HUBBUB_AUTHORIZE_CONNECTIONS: 'true',
      HUBBUB_AUTHORIZER_CACHE_MS: '0',
    },
  });
  const edge = cluster.edge(0);
  const open = (user: string, query = '') =>
    connect(`${edge.wsUrl}${query}`, { name: user, token: cluster.token({ user }) });
  const first = await open('first'); // No other session exists: the engine may warn (docs/decisions/0003).
  await first.ping();
  // The warning is written by the engine itself: what the process writes after it proves that it was not.
  const warnings = () => edge.process.output.lines.filter(line => line.includes('corked callback')).length;
  const before = warnings();

  const others = await Promise.all(Array.from({ length: 20 }, (_, n) => open(`user-${n}`)));
  for (const other of others) await other.ping();
  authorizer.answer = (_, response) => says(response, { allow: false });
  expect((await connectRefused(edge.wsUrl, { token: cluster.token({ user: 'refused' }) })).status).toBe(403);
  expect((await (await open('closed', '?errors=close')).closed).code).toBe(4203);
  expect((await connectRefused(edge.wsUrl, { token: 'nonsense' })).status).toBe(401);
  for (const path of ['/', '/ws', '/ws/online', '/nothing']) {
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST']) await fetch(`${edge.httpUrl}${path}`, { method });
  }
  await cluster.edge(0).process.kill('SIGTERM');
  expect(warnings() - before).toBe(0);
});
