/** Configured paths that open a session in a room (PROTOCOL.md section 1). */
import { beforeAll, describe, expect, test } from 'vitest';
import { startAuthorizer } from '../admission/authorizer-double.js';
import { PATIENT } from '../admission/authorizer-story.js';
import { withConfigFile } from '../presence/config-file.js';
import { startCluster, startEmbedded, type TestCluster } from '../support/cluster.js';
import { runHubbub } from '../support/process.js';
import { connect, connectRefused } from '../support/raw-client.js';

const CONFIG = {
  namespaces: { pairwise: { events: ['vote_submitted'] } },
  roomPaths: {
    '/projects/{project}/sessions/{session}/attendees/{attendee}/ws': 'pairwise:{project}.{session}',
    '/lobby/ws': 'lobby',
    '/rooms/{room}/watch': '{room}',
  },
};

describe('below a base path, with an authorizer', () => {
  let cluster: TestCluster;
  let authorizer: Awaited<ReturnType<typeof startAuthorizer>>;
  beforeAll(async () => {
    authorizer = await startAuthorizer();
    cluster = await startCluster({
      edges: 1,
      presence: 0,
      env: {
        ...withConfigFile(CONFIG),
        HUBBUB_BASE_PATH: '/api',
        HUBBUB_AUTHORIZER_URL: authorizer.url,
        HUBBUB_AUTHORIZE_CONNECTIONS: 'true',
        ...PATIENT,
      },
    });
  });
  const url = (path: string) => cluster.edge(0).socketUrl(`/api${path}`);
  const token = (user: string, rooms: string[] = ['pairwise:*']) => cluster.token({ user, rooms });

  test('a session of the path is in the room from the start, and its events are about that room', async () => {
    const path = url('/projects/p1/sessions/s1/attendees/ada/ws');
    const [ada, bob] = [await connect(path, { token: token('ada') }), await connect(path, { token: token('bob') })];
    for (const client of [ada, bob]) {
      expect((await client.nextFrame('welcome')).payload?.rooms).toEqual(['pairwise:p1.s1']);
    }
    ada.send({ type: 'send_message', room: 'pairwise:p1.s1', message_id: 'm1', payload: {} });
    await bob.nextFrame({ type: 'new_message', id: 'm1', room: 'pairwise:p1.s1' });
    expect(await ada.ask({ type: 'vote_submitted' })).toMatchObject({ type: 'ack', room: 'pairwise:p1.s1' });
  });

  test('a path without names works, and so does one beside the default path', async () => {
    for (const [path, room] of [['/lobby/ws', 'lobby'] as const, ['/rooms/lobby/watch', 'lobby'] as const]) {
      const ada = await connect(url(path), { token: token('ada', ['*']) });
      expect((await ada.nextFrame('welcome')).payload?.rooms).toEqual([room]);
    }
  });

  test('the authorizer gets the path and its names, decoded', async () => {
    await connect(url('/projects/p%2D1/sessions/s1/attendees/Zo%C3%AB/ws?token=x'), { token: token('zoe') });
    expect(authorizer.askedOf('zoe')).toMatchObject([
      {
        action: 'connect',
        path: '/api/projects/p%2D1/sessions/s1/attendees/Zo%C3%AB/ws',
        params: { project: 'p-1', session: 's1', attendee: 'Zoë' },
        room: 'pairwise:p-1.s1',
      },
    ]);
    await connect(url('/rooms/pairwise:1/ws'), { token: token('yan') });
    expect(authorizer.askedOf('yan')).toMatchObject([{ params: { room_id: 'pairwise:1' } }]);
    await connect(url('/ws'), { token: token('xia') });
    expect(authorizer.askedOf('xia')[0]).not.toHaveProperty('params');
  });

  test.each([
    ['what makes no room name', '/projects/a b/sessions/s/attendees/x/ws', 400, 'INVALID_ROOM'],
    ['what could be another path’s room', '/projects/a.b/sessions/c/attendees/x/ws', 400, 'INVALID_ROOM'],
    ['the same, hidden by an escape', '/projects/a%2Eb/sessions/c/attendees/x/ws', 400, 'INVALID_ROOM'],
    ['a broken escape', '/projects/%zz/sessions/c/attendees/x/ws', 400, 'INVALID_ROOM'],
    ['an empty segment', '/projects//sessions/c/attendees/x/ws', 404, 'NOT_FOUND'],
    ['a room that the token does not open', '/lobby/ws', 403, 'FORBIDDEN'],
    ['a path that is too long', '/projects/a/sessions/b/attendees/c/ws/more', 404, 'NOT_FOUND'],
    ['a path without the base path', '/../lobby/ws', 404, 'NOT_FOUND'],
  ])('%s is refused', async (_, path, status, code) => {
    const refusal = await connectRefused(url(path), { token: token('ada') });
    expect(refusal.status).toBe(status);
    expect(JSON.parse(refusal.body)).toMatchObject({ code });
  });

  test('plain HTTP gets 426 on such a path, and the list of paths on others', async () => {
    const plain = await fetch(url(`/lobby/ws?token=${token('ada', ['*'])}`).replace('ws', 'http'));
    expect(plain.status).toBe(426);
    const none = await fetch(url('/nothing').replace('ws', 'http'));
    expect(none.status).toBe(404);
    expect(((await none.json()) as { message: string }).message).toContain('/api/lobby/ws');
  });
});

test('in one process without Redis paths work the same', async () => {
  const cluster = await startEmbedded({ env: withConfigFile(CONFIG) });
  const ada = await connect(cluster.edge(0).socketUrl('/lobby/ws'), { token: cluster.token({ user: 'ada' }) });
  expect((await ada.nextFrame('welcome')).payload?.rooms).toEqual(['lobby']);
});

test('an invalid template stops the start with an error that names its place in the file', async () => {
  const env = withConfigFile({ roomPaths: { '/chats/{chat}/ws': 'chat:{room}' } });
  const { code, stderr } = await runHubbub(['start'], env);
  expect(code).toBe(78);
  expect(stderr).toContain('roomPaths./chats/{chat}/ws: {room} of the room is not in the path');
});
