/** Several parts of an application in one room: each has a handle, and the last leave leaves the room. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { HubbubClient } from '../src/index.js';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, outcome, silent, turn, willing } from './support/fake-edge.js';

useFakeClock();

let edge: FakeEdge;
let client: HubbubClient;

beforeEach(async () => {
  edge = new FakeEdge();
  client = await edge.openClient();
});

const sent = (type: string): number => edge.socket.sentOfType(type).length;
const message = { type: 'new_message', room: 'general', sender: { id: 'b', name: 'B' }, payload: {} };

describe('two handles of one room', () => {
  it('join once, and the last one to leave leaves the room', async () => {
    const [a, b] = [client.room('general'), client.room('general')];
    await Promise.all([a.join(), b.join()]);
    expect(sent('join_room')).toBe(1);
    await a.leave();
    expect([a.state, b.state, sent('leave_room')]).toEqual(['joined', 'joined', 0]);
    await b.leave();
    expect([a.state, b.state, sent('leave_room')]).toEqual(['left', 'left', 1]);
  });

  it('count once each, however often they join or leave', async () => {
    const [a, b] = [client.room('general'), client.room('general')];
    await Promise.all([a.join(), a.join(), b.join()]);
    await a.leave();
    await a.leave();
    expect(b.state).toBe('joined');
    await b.leave();
    expect([b.state, sent('leave_room')]).toEqual(['left', 1]);
  });

  it('hear the same messages, and have one roster', async () => {
    const [a, b] = [client.room('general'), client.room('general')];
    const [heardByA, heardByB] = [vi.fn(), vi.fn()];
    a.on('new_message', heardByA);
    const stop = b.on('new_message', heardByB);
    await a.join();
    const info = { room_id: 'general', users: [{ id: 'b', name: 'B' }], count: 1, version: 1 };
    edge.socket.receive({ type: 'room_info', payload: info });
    expect([a.roster.count, b.roster.count, client.room('general').roster.users]).toEqual([1, 1, info.users]);
    edge.socket.receive(message);
    stop();
    edge.socket.receive(message);
    expect([heardByA.mock.calls.length, heardByB.mock.calls.length]).toEqual([2, 1]);
  });

  it('keep the room when one leaves while it is being joined', async () => {
    edge.answer = silent;
    const [a, b] = [client.room('general'), client.room('general')];
    const [joiningA, joiningB] = [a.join(), b.join()];
    void a.leave();
    expect(await outcome(joiningB)).toBe('pending');
    edge.socket.receive({ type: 'ack', id: edge.socket.sentOfType('join_room')[0]?.id ?? '' });
    await turn();
    expect([await outcome(joiningA), await outcome(joiningB)]).toEqual([{ value: undefined }, { value: undefined }]);
    expect([b.state, sent('leave_room')]).toEqual(['joined', 0]);
  });

  it('rejoin together after a break', async () => {
    const [a, b] = [client.room('general'), client.room('general')];
    await Promise.all([a.join(), b.join()]);
    edge.socket.end(1006);
    await a.leave();
    await vi.advanceTimersByTimeAsync(1_000);
    await edge.accept();
    expect([b.state, sent('resume')]).toEqual(['joined', 1]);
    await b.leave();
    expect(sent('leave_room')).toBe(1);
  });

  it.each([
    ['a service closes the room', () => edge.socket.receive({ type: 'room_closed', payload: { room_id: 'general' } })],
    ['the application removes it', () => void client.removeRoom('general')],
  ])('have both left when %s, and count again after that', async (_, end) => {
    const [a, b] = [client.room('general'), client.room('general')];
    await Promise.all([a.join(), b.join()]);
    end();
    await turn();
    expect([a.state, b.state]).toEqual(['left', 'left']);
    await a.join();
    await a.leave();
    expect(a.state).toBe('left');
  });

  it('have both left after a refusal', async () => {
    edge.answer = ({ id = '' }, socket) => void socket.receive({ type: 'error', id, payload: { code: 'FORBIDDEN' } });
    const [a, b] = [client.room('general'), client.room('general')];
    const joining = [a.join(), b.join()];
    expect(await Promise.all(joining.map(outcome))).toEqual([{ code: 'FORBIDDEN' }, { code: 'FORBIDDEN' }]);
    edge.answer = willing;
    await a.join();
    await a.leave();
    expect(a.state).toBe('left');
  });
});

describe('removing a room', () => {
  it('leaves it whichever handles joined, and stops its listeners', async () => {
    const [a, b] = [client.room('general'), client.room('general')];
    const heard = vi.fn();
    const states: string[] = [];
    a.on('new_message', heard);
    a.onStateChange(({ state }) => states.push(state));
    await Promise.all([a.join(), b.join()]);
    await client.removeRoom('general');
    expect([sent('leave_room'), a.state, states]).toEqual([1, 'left', ['joining', 'joined', 'left']]);
    await b.join();
    edge.socket.receive(message);
    expect([heard.mock.calls.length, states.length]).toEqual([0, 3]);
  });

  it('does nothing to a room that was never used', async () => {
    await client.removeRoom('general');
    expect(edge.socket.sent).toEqual([]);
  });
});

it('a handle without a join leaves a room of the path, or one that a service added', async () => {
  edge.socket.receive({ type: 'room_opened', payload: { room_id: 'general' } });
  await client.room('general').leave();
  expect([client.room('general').state, sent('leave_room')]).toEqual(['left', 1]);
});
