/** Presence serves rosters and locations over HTTP to clients with a key. */

import { eventually } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { connect } from '../support/raw-client.js';

describe('the HTTP interface of the presence process', () => {
  let cluster: TestCluster;
  let url: string;

  beforeAll(async () => {
    cluster = await startCluster({ edges: 2, env: { HUBBUB_PRESENCE_API_KEYS: 'first-key,second-key' } });
    const [presence] = cluster.presence;
    url = presence?.adminUrl ?? '';
    const alice = await connect(cluster.edge(0).wsUrl, { token: cluster.token({ user: 'alice', name: 'Alice' }) });
    const phone = await connect(cluster.edge(1).wsUrl, { token: cluster.token({ user: 'alice', name: 'Alice' }) });
    const bob = await connect(cluster.edge(1).wsUrl, { token: cluster.token({ user: 'bob', name: 'Bob' }) });
    await alice.join('general');
    await phone.join('lobby');
    await bob.join('general');
  });

  const get = async (path: string, key = 'second-key') => {
    const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${key}` } });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };

  test('a roster lists the users of a room on all edges', async () => {
    const roster = await eventually(async () => {
      const { body } = await get('/rooms/general/roster');
      return body.count === 2 && body;
    });
    expect(roster).toMatchObject({ room_id: 'general', count: 2 });
    expect(roster.users).toEqual(
      expect.arrayContaining([expect.objectContaining({ id: 'alice' }), expect.objectContaining({ id: 'bob' })]),
    );
  });

  test('a user is found with all sessions, rooms and nodes', async () => {
    const user = await eventually(async () => {
      const { body } = await get('/users/alice');
      return (body.sessions as unknown[] | undefined)?.length === 2 && body;
    });
    expect(JSON.stringify(user)).toContain('lobby');
    expect(JSON.stringify(user)).toContain('edge-1');
    expect(JSON.stringify(user)).toContain('edge-2');
  });

  test('users online, nodes and rooms are counted', async () => {
    await eventually(async () => (await get('/online')).body.online === 2, { describe: 'two users are online' });
    // After an empty start of the registry every edge reports again, under a new incarnation.
    const nodes = async () => (await get('/nodes')).body.nodes as unknown[];
    await eventually(async () => (await nodes()).length === 2, { describe: 'two edges are alive' });
    expect(JSON.stringify((await get('/rooms')).body)).toContain('general');
  });

  test('an unknown room is empty, not an error', async () => {
    expect(await get('/rooms/nobody-here/roster')).toMatchObject({ status: 200, body: { count: 0, users: [] } });
  });

  test('without a valid key, presence reveals nothing', async () => {
    for (const path of ['/rooms', '/rooms/general/roster', '/users/alice', '/online', '/nodes']) {
      for (const key of ['', 'first-keyx', 'first']) {
        expect(await get(path, key), `${path} with ${JSON.stringify(key)}`).toMatchObject({
          status: 401,
          body: { code: 'UNAUTHORIZED' },
        });
      }
    }
    expect((await get('/online', 'first-key')).status).toBe(200);
  });

  test('the description is public', async () => {
    const { status, body } = await get('/openapi.json', '');
    expect(status).toBe(200);
    expect(body.openapi).toMatch(/^3\.1/);
  });
});
