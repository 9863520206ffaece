/** Requests about rooms: leaving is idempotent, and one frame resumes as many rooms as a session may be in. */
import { DEFAULT_LIMITS } from '@hubbub/protocol';
import { describe, expect, test } from 'vitest';
import { startCluster, startEmbedded } from '../support/cluster.js';
import { connect } from '../support/raw-client.js';

describe.each(['json', 'msgpack'] as const)('in %s', encoding => {
  test('leave_room is acknowledged even if the session is not in the room', async () => {
    const cluster = await startEmbedded();
    const client = await connect(cluster.edge(0).wsUrl, { encoding, token: cluster.token({ user: 'u1' }) });
    await client.join('general');
    for (let time = 0; time < 3; time++) {
      const answer = await client.ask({ type: 'leave_room', payload: { room_id: 'general' } });
      expect(answer).toMatchObject({ type: 'ack', room: 'general' });
    }
    expect(await client.ask({ type: 'leave_room', payload: { room_id: 'no room' } })).toMatchObject({ type: 'error' });
  });

  test.each([
    ['Redis', () => startCluster({ edges: 1, presence: 0, env: { HUBBUB_MAX_FRAME_BYTES: '16384' } })],
    ['memory', () => startEmbedded({ env: { HUBBUB_MAX_FRAME_BYTES: '16384' } })],
  ])('one resume joins max_rooms rooms with their positions, on %s', async (_where, start) => {
    const cluster = await start();
    const client = await connect(cluster.edge(0).wsUrl, { encoding, token: cluster.token({ user: 'u1' }) });
    const rooms = Array.from({ length: DEFAULT_LIMITS.max_rooms }, (_, n) => ({
      room_id: `room-${n}`,
      epoch: 'an-epoch',
      offset: n,
    }));
    const answer = await client.ask({ type: 'resume', payload: { rooms } });
    expect(answer).toMatchObject({ type: 'ack' });
    expect(answer.payload?.rooms).toEqual(rooms.map(({ room_id }) => ({ room_id })));
    const more = await client.ask({ type: 'join_room', payload: { room_id: 'one-more' } });
    expect(more).toMatchObject({ type: 'error', room: 'one-more', payload: { code: 'ROOM_LIMIT' } });
  });
});
