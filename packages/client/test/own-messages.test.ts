/** Own messages: repetitions, the holes that they can fill, and the answers and replays that belong to them. Fake edge, fake clock. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, outcome, placesIn, silent, turn, willing } from './support/fake-edge.js';
import { answerResume, comeBack, hear, historic, joined, message } from './support/general-room.js';

useFakeClock();

let edge: FakeEdge;

beforeEach(() => {
  edge = new FakeEdge();
});

const own = { sender: { id: 'u1', name: 'One' } };
const recovered = (offset: number) => ({ room_id: 'general', epoch: 'e1', offset, recovered: true });
const idOf = (name: string): string =>
  edge.socket.sent.findLast(({ message_id }) => message_id === name)?.id ?? 'not sent';
const refuse = (name: string, code: string): void =>
  void edge.socket.receive({ type: 'error', id: idOf(name), payload: { code, message: '' } });
const sentNames = (): unknown[] => edge.socket.sentOfType('send_message').map(({ message_id }) => message_id);

describe('a hole in a room', () => {
  it('is a gap although messages to another room, events and messages that were never sent are pending', async () => {
    const { client, room, heard } = await joined(edge);
    await client.room('other').join();
    edge.answer = silent;
    void client
      .room('other')
      .send({})
      .catch(() => {});
    void room.sendEvent('game.move').catch(() => {});
    edge.socket.receive(message(12));
    expect(heard).toEqual([{ reason: 'missed', since: 10, before: 12 }, 12]);
  });

  it('can be filled only by messages that were sent, not by those that wait behind them', async () => {
    const { room, heard } = await joined(edge);
    edge.answer = silent;
    void room.send({}, { id: 'm1' });
    refuse('m1', 'UNAVAILABLE');
    void room.send({}, { id: 'm2' });
    edge.socket.receive(message(12)).receive(message(14));
    expect(heard).toEqual([12, { reason: 'missed', since: 10, before: 12 }, 14]);
  });
});

describe('a replayed message', () => {
  it('settles the own message with its id, and no other one', async () => {
    const { client, room, heard } = await joined(edge);
    await client.room('other').join();
    edge.answer = silent;
    const sending = [room.send({}, { id: 'm1' }), room.send({}, { id: 'm2' })];
    void client.room('other').send({}, { id: 'm3' });
    const socket = await comeBack(edge);
    socket.receive(message(11, { ...own, id: 'm3' })).receive(message(12, { ...own, id: 'm2' }));
    edge.answer = ({ id = '' }, to) => void to.receive({ type: 'ack', id, offset: 13 });
    answerResume(socket, [recovered(12), { ...recovered(10), room_id: 'other' }]);
    await turn();
    expect(sentNames()).toEqual(['m1', 'm3']);
    expect(await outcome(Promise.all(sending))).toMatchObject({ value: [{ offset: 13 }, { offset: 12 }] });
    expect(heard).toEqual(['rejoining', 11, 'recovered 2', 'joined']);
  });

  it('of another user with the same id is shown, and settles nothing', async () => {
    const { room, heard } = await joined(edge);
    edge.answer = silent;
    const sending = room.send({}, { id: 'm1' });
    const socket = await comeBack(edge);
    socket.receive(message(11, { id: 'm1' }));
    edge.answer = ({ id = '' }, to) => void to.receive({ type: 'ack', id, offset: 12 });
    answerResume(socket, [recovered(11)]);
    await turn();
    expect(heard).toEqual(['rejoining', 11, 'recovered 1', 'joined']);
    expect(await outcome(sending)).toMatchObject({ value: { offset: 12 } });
  });
});

describe('in a room that echoes own messages', () => {
  it('an ack does not replace the echo, which a reconnect delivers', async () => {
    const { room, heard } = await joined(edge);
    edge.answer = silent;
    void room.send({}, { id: 'm1' });
    void room.send({}, { id: 'm2' });
    edge.socket
      .receive(message(11, { ...own, id: 'm1' }))
      .receive({ type: 'ack', id: 'm1', offset: 11 })
      .receive({ type: 'ack', id: 'm2', offset: 12 });
    const socket = await comeBack(edge);
    expect(placesIn(socket.sentOfType('resume')[0])).toMatchObject([{ offset: 11 }]);
    socket.receive(message(12, { ...own, id: 'm2' }));
    answerResume(socket, [recovered(12)]);
    await turn();
    expect(heard).toEqual([11, 'rejoining', 12, 'recovered 1', 'joined']);
  });

  it('an ack does not replace the echo, even if the first echo arrived after its ack', async () => {
    const { room } = await joined(edge);
    edge.answer = silent;
    void room.send({}, { id: 'm1' });
    void room.send({}, { id: 'm2' });
    edge.socket
      .receive({ type: 'ack', id: 'm1', offset: 11 })
      .receive(message(11, { ...own, id: 'm1' }))
      .receive({ type: 'ack', id: 'm2', offset: 12 });
    expect(placesIn((await comeBack(edge)).sentOfType('resume')[0])).toMatchObject([{ offset: 11 }]);
  });

  it('a message of another session of the user is not an echo: acks still count', async () => {
    const { room, heard } = await joined(edge);
    edge.socket.receive(message(11, { ...own, id: 'other-tab' }));
    edge.answer = ({ id = '' }, to) => void to.receive({ type: 'ack', id, offset: 12 });
    await room.send({});
    edge.socket.receive(message(13));
    expect(heard).toEqual([11, 13]);
  });
});

describe('repeating', () => {
  it('happens also in a session that is older than a message may be', async () => {
    const { room } = await joined(edge);
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    edge.answer = silent;
    const sending = room.send({});
    const socket = await comeBack(edge);
    edge.answer = willing;
    answerResume(socket, [recovered(10)]);
    expect(await outcome(sending)).toMatchObject({ value: {} });
  });

  it('is for messages: an event in a room with history may have been executed, and is not sent twice', async () => {
    const { room } = await joined(edge);
    edge.answer = silent;
    const late = expect(room.sendEvent('game.move')).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    const socket = await comeBack(edge);
    edge.answer = willing;
    answerResume(socket, [recovered(10)]);
    await late;
    expect(socket.sentOfType('game.move')).toEqual([]);
  });

  it('is for messages also where retryInFlight is on', async () => {
    const client = await edge.openClient({ retryInFlight: true });
    edge.answer = silent;
    const late = expect(client.sendEvent('game.move')).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    edge.socket.end(1006);
    await vi.advanceTimersByTimeAsync(1_000);
    expect((await edge.accept()).sentOfType('game.move')).toEqual([]);
    await late;
  });

  it('keeps the outcome unknown when the repetition gets no answer', async () => {
    const { client, room } = await joined(edge);
    edge.answer = silent;
    const sending = room.send({}, { id: 'm1' });
    refuse('m1', 'OUTCOME_UNKNOWN');
    await vi.advanceTimersByTimeAsync(500);
    expect(sentNames()).toEqual(['m1', 'm1']);
    refuse('m1', 'UNAVAILABLE');
    const late = expect(sending).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    client.close();
    await late;
  });

  it('waits longer with every refusal in a row, and not longer after an ack', async () => {
    const { room } = await joined(edge);
    edge.answer = silent;
    const waits = async (name: string, delayMs: number): Promise<void> => {
      refuse(name, 'UNAVAILABLE');
      const before = sentNames().length;
      await vi.advanceTimersByTimeAsync(delayMs - 1);
      expect(sentNames()).toHaveLength(before);
      await vi.advanceTimersByTimeAsync(1);
      expect(sentNames()).toHaveLength(before + 1);
    };
    void room.send({}, { id: 'm1' });
    await waits('m1', 500);
    await waits('m1', 1_000);
    edge.socket.receive({ type: 'ack', id: 'm1', offset: 11 });
    void room.send({}, { id: 'm2' });
    await waits('m2', 500);
  });

  it('of many messages that were refused together happens after one delay', async () => {
    const { client, room } = await joined(edge);
    edge.answer = silent;
    for (const id of ['m1', 'm2']) void room.send({}, { id }).catch(() => {});
    for (const name of ['m1', 'm2']) refuse(name, 'UNAVAILABLE');
    await vi.advanceTimersByTimeAsync(500);
    refuse('m1', 'UNAVAILABLE');
    await vi.advanceTimersByTimeAsync(999);
    expect(sentNames()).toEqual(['m1', 'm2', 'm1', 'm2']);
    client.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not keep a client from moving to another edge', async () => {
    const { client, room } = await joined(edge);
    edge.answer = silent;
    const sending = room.send({}, { id: 'm1' });
    edge.socket.receive({ type: 'reconnect', payload: { delay_ms: 0 } });
    await turn();
    expect(client.state).toBe('moving');
    refuse('m1', 'UNAVAILABLE');
    await turn();
    expect(client.state).toBe('connecting');
    edge.answer = willing;
    const socket = await edge.accept();
    expect(socket.sentOfType('resume')).toHaveLength(1);
    await expect(Promise.race([sending, turn()])).resolves.not.toThrow();
  });
});

it('refuses an id that another own message waits with', async () => {
  const client = edge.client();
  void client.connect();
  const waiting = client.room('general').send({}, { id: 'm1' });
  expect(await outcome(client.room('other').send({}, { id: 'm1' }))).toEqual({ code: 'INVALID_FORMAT' });
  await edge.accept();
  expect(await outcome(waiting)).toMatchObject({ value: { id: 'm1' } });
});

it('sends a frame of exactly max_frame_bytes, and none that is one byte larger', async () => {
  const client = edge.client();
  void client.connect();
  await turn();
  edge.socket.open().welcome([], { max_frame_bytes: 200 });
  await turn();
  const room = client.room('general');
  await room.send({ text: '' }, { id: 'm1' });
  const free = 200 - JSON.stringify(edge.socket.sentOfType('send_message')[0]).length;
  expect(await outcome(room.send({ text: 'x'.repeat(free) }, { id: 'm2' }))).toMatchObject({ value: { id: 'm2' } });
  expect(await outcome(room.send({ text: 'x'.repeat(free + 1) }, { id: 'm3' }))).toEqual({ code: 'TOO_LARGE' });
});

it('refuses frames that wait for a room that cannot be rejoined, and sends those for the others', async () => {
  const client = await edge.openClient();
  edge.answer = historic(1);
  const [lost, kept] = ['lost', 'kept'].map(name => client.room(name));
  await Promise.all([lost?.join(), kept?.join()]);
  const socket = await comeBack(edge);
  const refused = expect(lost?.send({}, { id: 'm1' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  const sending = kept?.send({}, { id: 'm2' });
  edge.answer = willing;
  answerResume(socket, [
    { room_id: 'lost', error: { code: 'FORBIDDEN', message: '' } },
    { room_id: 'kept', epoch: 'e1', offset: 1, recovered: true },
  ]);
  await refused;
  expect(await outcome(sending ?? Promise.reject())).toMatchObject({ value: { id: 'm2' } });
});

it('does not notify a room that the user types before the client has rejoined it', async () => {
  const { room } = await joined(edge);
  const socket = await comeBack(edge);
  room.typing();
  expect(socket.sentOfType('typing')).toEqual([]);
  answerResume(socket, [recovered(10)]);
  await turn();
  room.typing();
  expect(socket.sentOfType('typing')).toHaveLength(1);
  expect(hear(room)).toEqual([]);
});
