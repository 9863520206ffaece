/** Frames that were refused, not answered or lost: which are repeated, and which a move waits for. Fake edge, fake clock. */
import type { Frame } from '@hubbub/protocol';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, type FakeSocket, outcome, silent, turn, willing } from './support/fake-edge.js';
import { answerResume, comeBack, historic, joined, message } from './support/general-room.js';

useFakeClock(); // Delays of the backoff are 500 ms, 1 s, 2 s, …

let edge: FakeEdge;

beforeEach(() => {
  edge = new FakeEdge();
});

const refusing =
  (code: string, retryAfterMs?: number) =>
  ({ id = '' }: Frame, socket: FakeSocket): void =>
    void socket.receive({
      type: 'error',
      id,
      payload: { code, message: '', ...(retryAfterMs !== undefined && { retry_after_ms: retryAfterMs }) },
    });

const names = (socket = edge.socket) => socket.sentOfType('send_message').map(({ message_id }) => message_id);
const settle = (promise: Promise<unknown>) => promise.catch(() => {});

/** Whether the client leaves now, because no answer is pending. */
async function moves(): Promise<boolean> {
  const dialed = edge.sockets.length;
  edge.socket.receive({ type: 'reconnect', payload: { delay_ms: 0 } });
  await turn();
  return edge.sockets.length > dialed;
}

describe('a message that the broker refused', () => {
  it('is repeated with growing delays, which are small again after a success', async () => {
    const { room } = await joined(edge);
    edge.answer = refusing('UNAVAILABLE');
    void room.send({}, { id: 'm1' });
    for (const delayMs of [500, 1_000]) {
      await vi.advanceTimersByTimeAsync(delayMs - 1);
      const { length } = names();
      await vi.advanceTimersByTimeAsync(1);
      expect(names()).toHaveLength(length + 1);
    }
    edge.answer = willing;
    await vi.advanceTimersByTimeAsync(2_000);
    edge.answer = refusing('UNAVAILABLE');
    void room.send({}, { id: 'm2' });
    await vi.advanceTimersByTimeAsync(500);
    expect(names().filter(name => name === 'm2')).toHaveLength(2);
  });

  it('is not repeated before the delay that the edge names', async () => {
    const { room } = await joined(edge);
    edge.answer = refusing('UNAVAILABLE', 5_000);
    void room.send({}, { id: 'm1' });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(names()).toEqual(['m1']);
    edge.answer = willing;
    await vi.advanceTimersByTimeAsync(500);
    expect(names()).toEqual(['m1', 'm1']);
  });

  it('has one planned repetition for the whole room, and none after close()', async () => {
    const { client, room } = await joined(edge);
    edge.answer = silent;
    const sending = ['m1', 'm2', 'm3'].map(id => settle(room.send({}, { id })));
    for (const frame of edge.socket.sentOfType('send_message')) refusing('UNAVAILABLE')(frame, edge.socket);
    await vi.advanceTimersByTimeAsync(500);
    expect(names()).toEqual(['m1', 'm2', 'm3', 'm1', 'm2', 'm3']);
    for (const frame of edge.socket.sentOfType('send_message').slice(3)) refusing('UNAVAILABLE')(frame, edge.socket);
    client.close();
    await Promise.all(sending);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not delay a message after a leave() and a join()', async () => {
    const { room } = await joined(edge);
    edge.answer = refusing('UNAVAILABLE');
    const first = settle(room.send({}, { id: 'm1' }));
    edge.answer = historic(10);
    await room.leave();
    await Promise.all([first, room.join()]);
    expect(await outcome(room.send({}, { id: 'm2' }))).toMatchObject({ value: { id: 'm2' } });
  });

  it('does not slow repetitions down that follow a leave() and a join()', async () => {
    const { room } = await joined(edge);
    edge.answer = refusing('UNAVAILABLE');
    const first = settle(room.send({}, { id: 'm1' }));
    await vi.advanceTimersByTimeAsync(1_500);
    edge.answer = historic(10);
    await room.leave();
    await Promise.all([first, room.join()]);
    edge.answer = refusing('UNAVAILABLE');
    void room.send({}, { id: 'm2' });
    await vi.advanceTimersByTimeAsync(500);
    expect(names().filter(name => name === 'm2')).toHaveLength(2);
  });

  it('is repeated by the next session without a delay', async () => {
    const { client, room } = await joined(edge);
    edge.answer = refusing('UNAVAILABLE');
    void room.send({}, { id: 'm1' });
    edge.socket.end(1006);
    edge.answer = willing;
    void client.connect();
    const socket = await edge.accept();
    expect(names(socket)).toEqual(['m1']);
  });

  it('does not delay a move', async () => {
    const { room } = await joined(edge);
    edge.answer = silent;
    void room.send({});
    expect(await moves()).toBe(false);
    const [frame = { type: '' }] = edge.socket.sentOfType('send_message');
    refusing('UNAVAILABLE')(frame, edge.socket);
    await turn();
    expect(edge.sockets).toHaveLength(2);
  });

  it('keeps its outcome unknown whatever refuses the repetition', async () => {
    const { room } = await joined(edge);
    edge.answer = refusing('OUTCOME_UNKNOWN');
    const sending = room.send({});
    await turn();
    edge.answer = refusing('FORBIDDEN');
    const late = expect(sending).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    await vi.advanceTimersByTimeAsync(500);
    await late;
    expect(names()).toHaveLength(2);
  });

  it('cannot fill a hole together with one that was not sent', async () => {
    const { room, heard } = await joined(edge);
    edge.answer = refusing('UNAVAILABLE');
    void room.send({});
    void room.send({}); // Waits behind the first.
    edge.socket.receive(message(13));
    expect(heard).toEqual([{ reason: 'missed', since: 10, before: 13 }, 13]);
  });
});

describe('a frame without an answer', () => {
  it('is given up, and does not delay later moves', async () => {
    const client = await edge.openClient({ ackTimeoutMs: 1_000 });
    edge.answer = silent;
    const sending = client.room('general').send({});
    const late = expect(sending).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    await vi.advanceTimersByTimeAsync(1_000);
    await late;
    expect(await moves()).toBe(true);
  });

  it('is given up with its session, and does not delay a move of the next one', async () => {
    const client = await edge.openClient();
    edge.answer = silent;
    void settle(client.room('general').send({}, { id: 'm1' }));
    await comeBack(edge);
    edge.answer = willing;
    expect(await outcome(client.room('general').send({}, { id: 'm1' }))).toMatchObject({ value: { id: 'm1' } });
    expect(await moves()).toBe(true);
  });

  it('has an unknown outcome if the edge answers with an unknown code', async () => {
    const client = await edge.openClient();
    edge.answer = refusing('SHARD_ON_FIRE');
    await expect(client.room('general').send({})).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      message: 'SHARD_ON_FIRE: ',
    });
  });

  it('is not settled by a message of another room with the same id', async () => {
    const { client, room } = await joined(edge);
    await client.room('other').join();
    edge.answer = silent;
    const sending = room.send({}, { id: 'm1' });
    const socket = await comeBack(edge);
    socket.receive(message(11, { room: 'other', id: 'm1', sender: { id: 'u1', name: 'One' } }));
    edge.answer = willing;
    answerResume(
      socket,
      ['general', 'other'].map(room_id => ({ room_id, epoch: 'e1', offset: 11, recovered: true })),
    );
    await sending;
    expect(names(socket)).toEqual(['m1']);
  });
});

describe('a frame that waits', () => {
  it('keeps its id from being used a second time', async () => {
    const client = edge.client();
    const room = client.room('general');
    void settle(room.send({}, { id: 'm1' }));
    expect(await outcome(room.send({}, { id: 'm1' }))).toEqual({ code: 'INVALID_FORMAT' });
    client.close();
  });

  it('stays when another room is left', async () => {
    const client = edge.client();
    const [a, b] = ['a', 'b'].map(name => client.room(name));
    const outcomes = [a, b].map(room => outcome(room?.send({}) ?? Promise.reject()));
    void a?.join();
    await a?.leave();
    expect(await Promise.all(outcomes)).toEqual([{ code: 'UNAVAILABLE' }, 'pending']);
  });

  it('may be as large as the edge accepts, and not larger', async () => {
    const client = await edge.openClient();
    const send = (length: number) => outcome(client.sendEvent('move', { text: 'x'.repeat(length) }));
    await send(0);
    const { length } = JSON.stringify(edge.socket.sentOfType('move')[0]);
    expect(await send(4_096 - length)).toEqual({ value: undefined });
    expect(await send(4_097 - length)).toEqual({ code: 'TOO_LARGE' });
  });

  it('is not a typing signal: those need a session and a joined room', async () => {
    const client = edge.client();
    void client.connect();
    await turn();
    edge.socket.open();
    client.room('general').typing();
    edge.socket.welcome();
    edge.answer = silent;
    void settle(client.room('general').join());
    client.room('general').typing();
    expect(edge.socket.sent.map(({ type }) => type)).toEqual(['join_room']);
    client.close();
  });
});
