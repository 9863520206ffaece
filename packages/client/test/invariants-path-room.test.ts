/** The room of the path: joined with the connection, recovered by the position in its query. Fake edge, fake clock. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { HubbubClient } from '../src/index.js';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, type FakeSocket, outcome, silent, turn, willing } from './support/fake-edge.js';
import { comeBack, hear, message } from './support/general-room.js';

useFakeClock();

const URL = 'ws://edge.test/rooms/general/ws';

let edge: FakeEdge;

beforeEach(() => {
  edge = new FakeEdge();
});

/** A session of the path, at offset 10. */
async function enter(url = URL): Promise<HubbubClient> {
  const client = edge.client({ url });
  void client.connect();
  await edge.accept(['general'], { position: { epoch: 'e1', offset: 10 } });
  return client;
}

/** The next session, which has not been welcomed. */
async function dialAgain(): Promise<FakeSocket> {
  edge.socket.end(1006);
  edge.answer = silent;
  await vi.advanceTimersByTimeAsync(1_000);
  return edge.socket.open();
}

/** Everything after the replay comes after the answer to the first frame of the session. */
function endReplay(socket: FakeSocket): Promise<void> {
  socket.receive({ type: 'pong', id: socket.sentOfType('ping')[0]?.id ?? '' });
  return turn();
}

const welcome = (socket: FakeSocket, position?: object) => socket.welcome(['general'], {}, { position });

describe('invariant 17: the room of the path is like every other', () => {
  it('is joined with the connection, at the position in the welcome, without a frame', async () => {
    const client = await enter();
    expect([client.state, client.room('general').state, edge.socket.sent]).toEqual(['open', 'joined', []]);
    const heard = hear(client.room('general'));
    for (const offset of [10, 11, 13]) edge.socket.receive(message(offset));
    expect(heard).toEqual([11, { reason: 'missed', since: 11, before: 13 }, 13]);
  });

  it.each([
    [URL, `${URL}?epoch=e1&offset=11`],
    [`${URL}?a=b`, `${URL}?a=b&epoch=e1&offset=11`],
  ])('names its position in the query of %s, and takes the replay before live messages', async (url, named) => {
    const client = await enter(url);
    const heard = hear(client.room('general'));
    edge.socket.receive(message(11));
    const socket = await dialAgain();
    expect(edge.sockets.map(({ request }) => request.url)).toEqual([url, named]);
    welcome(socket, { epoch: 'e1', offset: 13, recovered: true });
    expect(client.state).toBe('restoring');
    for (const offset of [12, 13, 14]) socket.receive(message(offset));
    await endReplay(socket);
    socket.receive(message(15));
    expect(heard).toEqual([11, 'rejoining', 12, 13, 14, 'recovered 3', 'joined', 15]);
    expect([client.state, socket.sent.map(({ type }) => type)]).toEqual(['open', ['ping']]);
  });

  it('names the position at the time of the token, and not that of a room that was left meanwhile', async () => {
    let give: (token: string) => void = () => {};
    const token = vi.fn<() => string | Promise<string>>(() => 'a.b.c');
    const client = edge.client({ url: URL, token });
    void client.connect();
    await edge.accept(['general'], { position: { epoch: 'e1', offset: 10 } });
    token.mockReturnValueOnce(new Promise(resolve => (give = resolve)));
    edge.socket.end(1006);
    await vi.advanceTimersByTimeAsync(1_000);
    await client.room('general').leave();
    give('a.b.c');
    await turn();
    expect(edge.socket.request.url).toBe(URL);
  });

  it('settles a message by its replay, before it is sent again', async () => {
    const client = await enter();
    const heard = hear(client.room('general'));
    edge.answer = silent;
    const sending = client.room('general').send({}, { id: 'm1' });
    const socket = await dialAgain();
    welcome(socket, { epoch: 'e1', offset: 11, recovered: true });
    socket.receive(message(11, { id: 'm1', epoch: 'e1', sender: { id: 'u1', name: 'One' } }));
    await endReplay(socket);
    expect(await outcome(sending)).toMatchObject({ value: { id: 'm1', epoch: 'e1', offset: 11 } });
    expect(socket.sentOfType('send_message')).toEqual([]);
    expect(heard).toEqual(['rejoining', 'recovered 1', 'joined']);
  });

  it('reports the gap, then delivers the messages that could still be replayed', async () => {
    const client = await enter();
    const heard = hear(client.room('general'));
    const socket = await dialAgain();
    welcome(socket, { epoch: 'e1', offset: 50, recovered: false, reason: 'too_old', replayed_from: 49 });
    for (const offset of [49, 50, 51]) socket.receive(message(offset));
    await endReplay(socket);
    expect(heard).toEqual(['rejoining', { reason: 'too_old', since: 10, before: 49 }, 49, 50, 51, 'joined']);
  });

  it('reports the gap where the room no longer has a history', async () => {
    const client = await enter();
    const heard = hear(client.room('general'));
    welcome(await dialAgain());
    await turn();
    expect(heard).toEqual(['rejoining', { reason: 'no_history', since: undefined, before: undefined }, 'joined']);
  });

  it('continues when the first frame of the session is refused', async () => {
    const client = await enter();
    const socket = await dialAgain();
    welcome(socket, { epoch: 'e1', offset: 10, recovered: true });
    const id = socket.sentOfType('ping')[0]?.id ?? '';
    socket.receive({ type: 'error', id, payload: { code: 'RATE_LIMITED', message: '' } });
    await turn();
    expect([client.state, client.room('general').state]).toEqual(['open', 'joined']);
  });

  it('keeps no position when it is left during the replay', async () => {
    const client = await enter();
    const socket = await dialAgain();
    welcome(socket, { epoch: 'e1', offset: 12, recovered: true });
    socket.receive(message(11));
    void client.room('general').leave();
    await endReplay(socket);
    await dialAgain();
    expect(edge.socket.request.url).toBe(URL);
  });

  it('is not rejoined after leave(), until join()', async () => {
    const client = await enter();
    const room = client.room('general');
    edge.answer = willing;
    await room.leave();
    const heard = hear(room);
    const socket = await comeBack(edge, ['general']);
    expect(socket.request.url).toBe(URL);
    expect(socket.sent).toMatchObject([{ type: 'leave_room', payload: { room_id: 'general' } }]);
    socket.receive(message(20));
    expect(heard).toEqual([]);
    expect([room.state, client.state]).toEqual(['left', 'open']);
    edge.answer = willing;
    await room.join();
    socket.receive(message(21));
    expect(heard).toEqual(['joining', 'joined', 21]);
    socket.receive({ type: 'room_closed', payload: { room_id: 'general', removed: true } });
    const next = await comeBack(edge, ['general']);
    expect(next.sent).toMatchObject([{ type: 'leave_room' }]);
    expect(room.state).toBe('left');
  });
});
