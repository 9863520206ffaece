/** The number of a user's sessions is limited in the whole cluster, whichever edges they are on. */

import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { startCluster } from '../support/cluster.js';
import { connect } from '../support/raw-client.js';

test('the session above the limit ends with 4202 on any edge, and a place is free again after a session ends', async () => {
  const env = { HUBBUB_MAX_SESSIONS_PER_USER: '3', HUBBUB_PRESENCE_API_KEYS: 'key' };
  const cluster = await startCluster({ edges: 2, env });
  const url = cluster.presence[0]?.adminUrl ?? '';
  const open = async (user: string, edge: number) => {
    const client = await connect(cluster.edge(edge).wsUrl, { name: user, token: cluster.token({ user }) });
    await client.join('general');
    return client;
  };
  const sessionsOf = async (user: string) => {
    const answer = await fetch(`${url}/users/${user}`, { headers: { authorization: 'Bearer key' } });
    return ((await answer.json()) as { sessions: unknown[] }).sessions.length;
  };

  const other = await open('other', 0);
  const first = await open('alice', 0);
  await open('alice', 1);
  await open('alice', 0);
  await eventually(async () => (await sessionsOf('alice')) === 3, { describe: 'alice has three sessions' });

  const fourth = await open('alice', 1).catch((error: Error) => error); // It may end before its join is answered.
  if (fourth instanceof Error) expect(fourth.message).toContain('closed with 4202');
  else expect(await fourth.closed).toEqual({ code: 4202, reason: 'a user may have 3 sessions' });
  expect(await sessionsOf('alice')).toBe(3);

  await first.close();
  await eventually(async () => (await sessionsOf('alice')) === 2);
  const next = await open('alice', 1);
  await eventually(async () => (await sessionsOf('alice')) === 3);
  await next.ping();
  await open('other', 1); // Other users are not affected.
  await other.ping();
  expect(other.frames.filter(({ type }) => type === 'user_left')).toEqual([]);

  const metrics = async (adminUrl: string) => (await fetch(`${adminUrl}/metrics`)).text();
  expect(await metrics(url)).toContain('hubbub_presence_sessions_refused_total 1');
  const edge = await metrics(cluster.edge(1).adminUrl);
  expect(edge).toContain('hubbub_edge_controls_total{do="refuse_sessions"} 1');
  expect(edge).toContain('hubbub_edge_closes_total{code="4202"} 1');
});
