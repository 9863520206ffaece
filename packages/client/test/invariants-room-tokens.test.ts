/** Invariants of README.md that concern rooms with a token of their own. Fake edge, fake clock. */
import { HubbubError } from '@hubbub/protocol';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, type FakeSocket, outcome, silent, turn } from './support/fake-edge.js';
import { comeBack, hear, historic } from './support/general-room.js';

useFakeClock();

let edge: FakeEdge;

beforeEach(() => {
  edge = new FakeEdge();
});

const joins = (socket: FakeSocket) => socket.sentOfType('join_room').map(({ payload }) => payload);

/** Gives `t1`, `t2`, … */
function counting() {
  let count = 0;
  return vi.fn(async () => `t${++count}`);
}

describe('invariant 19: a room token is requested at every join, and rooms with one are joined one by one', () => {
  it('at the first join, after a reconnect, and when a join is retried', async () => {
    const token = counting();
    const client = await edge.openClient();
    edge.answer = historic(10);
    const room = client.room('general');
    await room.join({ token });
    expect(joins(edge.socket)).toEqual([{ room_id: 'general', token: 't1' }]);

    const socket = await comeBack(edge);
    expect(joins(socket)).toEqual([{ room_id: 'general', epoch: 'e1', offset: 10, token: 't2' }]);
    const [{ id = '' } = {}] = socket.sentOfType('join_room');
    socket.receive({ type: 'error', id, payload: { code: 'UNAVAILABLE', message: '' } });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(joins(socket).at(-1)).toMatchObject({ token: 't3' });
    expect(token).toHaveBeenCalledTimes(3);
  });

  it('is forgotten with the room: the next join gives it again', async () => {
    const client = await edge.openClient();
    const room = client.room('general');
    await room.join({ token: 'fixed' });
    await room.leave();
    await room.join();
    expect(joins(edge.socket)).toEqual([{ room_id: 'general', token: 'fixed' }, { room_id: 'general' }]);
    edge.socket.receive({ type: 'room_closed', room: 'general', payload: { room_id: 'general' } });
    await room.join({ token: 'other' });
    expect(joins(edge.socket).at(-1)).toEqual({ room_id: 'general', token: 'other' });
  });

  it('arrives too late for a session that ended, or a room that was left, during the request', async () => {
    const client = await edge.openClient();
    const given: ((token: string) => void)[] = [];
    const token = () => new Promise<string>(resolve => given.push(resolve));
    const room = client.room('general');
    const joining = room.join({ token });
    const first = edge.socket;
    const second = await comeBack(edge);
    expect(given).toHaveLength(2);
    given[0]?.('late');
    await turn();
    expect([...joins(first), ...joins(second)]).toEqual([]);
    void room.leave();
    given[1]?.('late, too');
    await turn();
    expect(joins(second)).toEqual([]);
    expect(await outcome(joining)).toEqual({ code: 'UNAVAILABLE' });
  });

  it('that fails: a first join rejects, a joined room is retried, and left for good reasons only', async () => {
    const client = await edge.openClient();
    edge.answer = historic(10);
    const token = counting();
    const room = client.room('general');
    token.mockRejectedValueOnce(new Error('offline'));
    expect(await outcome(room.join({ token }))).toEqual({ code: 'UNAVAILABLE' });
    await room.join({ token });
    const heard = hear(room);

    token.mockRejectedValueOnce(new Error('offline'));
    const socket = await comeBack(edge);
    expect(joins(socket)).toEqual([]);
    expect(client.state).toBe('restoring');
    edge.answer = historic(10);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(joins(socket)).toMatchObject([{ token: 't2' }]);
    expect(client.state).toBe('open');

    token.mockRejectedValueOnce(new HubbubError('FORBIDDEN', 'no longer a member'));
    await comeBack(edge);
    expect(room.state).toBe('left');
    expect(client.state).toBe('open');
    expect(heard.filter(entry => typeof entry === 'string' && !entry.startsWith('recovered'))).toEqual([
      'rejoining',
      'joined',
      'rejoining',
      'left',
    ]);
  });

  it('is fetched beside the resume of other rooms, which does not wait for it', async () => {
    const client = await edge.openClient();
    const waiting: (() => void)[] = [];
    await client.room('open').join();
    await client.room('vip:1').join({ token: 'one' });
    let slow = false;
    const later = () => new Promise<string>(resolve => (slow ? waiting.push(() => resolve('two')) : resolve('two')));
    await client.room('vip:2').join({ token: later });
    slow = true;
    const socket = await comeBack(edge);
    expect(socket.sentOfType('resume').map(({ payload }) => payload)).toEqual([{ rooms: [{ room_id: 'open' }] }]);
    expect(joins(socket)).toEqual([{ room_id: 'vip:1', token: 'one' }]);
    edge.answer = silent;
    for (const give of waiting) give();
    await turn();
    expect(joins(socket).at(-1)).toEqual({ room_id: 'vip:2', token: 'two' });
  });
});
