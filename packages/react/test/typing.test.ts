/** The typists and the signal behind `useTyping`. Fake edge, fake clock. */
import { expect, it, vi } from 'vitest';
import { useFakeClock } from '../../client/test/support/fake-clock.js';
import { turn } from '../../client/test/support/fake-edge.js';
import { createTyping } from '../src/typing.js';
import { HistoricRoom } from './support/historic-room.js';

useFakeClock();

async function mount() {
  const history = new HistoricRoom(1, 1);
  const room = await history.connect();
  const typing = createTyping(room, () => history.client.session?.user.id);
  const unmount = typing.subscribe(() => {});
  await room.join();
  const receive = (type: string, id: string, more = {}) =>
    history.edge.socket.receive({ type, room: 'general', sender: { id, name: id.toUpperCase() }, ...more });
  const sent = () => history.edge.socket.sent.map(({ type }) => type).filter(type => /typing$/.test(type));
  return { history, room, typing, unmount, receive, sent, names: () => typing.value().typists.map(({ name }) => name) };
}

it('a typist is believed for 6 s after the last signal', async () => {
  const { receive, names } = await mount();
  receive('user_typing', 'b');
  await vi.advanceTimersByTimeAsync(4_000);
  receive('user_typing', 'c');
  receive('user_typing', 'b');
  expect(names()).toEqual(['B', 'C']);
  await vi.advanceTimersByTimeAsync(5_999);
  expect(names()).toEqual(['B', 'C']);
  await vi.advanceTimersByTimeAsync(1);
  expect(names()).toEqual([]);
});

it.each([
  ['user_stopped_typing', {}],
  ['new_message', { payload: {} }],
  ['user_left', { payload: { user: { id: 'b', name: 'B' }, count: 1, version: 2 } }],
])('%s of a typist ends it', async (type, more) => {
  const { receive, names } = await mount();
  receive('user_typing', 'b');
  receive('user_typing', 'c');
  receive(type, 'b', more);
  expect(names()).toEqual(['C']);
});

it('the end of the session ends all, and a message of a service ends none', async () => {
  const { history, receive, names } = await mount();
  receive('user_typing', 'b');
  history.edge.socket.receive({ type: 'new_message', room: 'general', payload: {} });
  expect(names()).toEqual(['B']);
  history.edge.socket.end(1006);
  expect(names()).toEqual([]);
});

it('the own user, on another device, is not a typist', async () => {
  const { receive, names } = await mount();
  receive('user_typing', 'u1');
  expect(names()).toEqual([]);
});

it('sends a signal at most every 3 s, and its end after a pause of 4 s', async () => {
  const { typing, sent } = await mount();
  for (let ms = 0; ms <= 3_500; ms += 500) {
    typing.value().typed();
    await vi.advanceTimersByTimeAsync(500);
  }
  expect(sent()).toEqual(['typing', 'typing']);
  await vi.advanceTimersByTimeAsync(3_499);
  expect(sent()).toEqual(['typing', 'typing']);
  await vi.advanceTimersByTimeAsync(1);
  expect(sent()).toEqual(['typing', 'typing', 'stop_typing']);
});

it('stop() ends the signal once, and the next change begins it again', async () => {
  const { typing, sent } = await mount();
  typing.value().stop();
  typing.value().typed();
  typing.value().stop();
  typing.value().stop();
  typing.value().typed();
  expect(sent()).toEqual(['typing', 'stop_typing', 'typing']);
});

it('a component that is unmounted ends its signal and forgets the typists', async () => {
  const { typing, unmount, receive, sent, names } = await mount();
  receive('user_typing', 'b');
  typing.value().typed();
  unmount();
  await turn();
  expect([sent(), names()]).toEqual([['typing', 'stop_typing'], []]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(sent()).toEqual(['typing', 'stop_typing']);
});
