/** Rosters and changes of a room that arrive in another order than presence sent them. */
import { type Encoding, jsonCodec } from '@hubbub/protocol';
import { CODECS } from '@hubbub/protocol/msgpack';
import { beforeEach, expect, test } from 'vitest';
import { RosterOrder } from '../src/rooms/roster-order.js';

const ROOM = {};
const [ANN, BOB] = [{}, {}];
let order: RosterOrder;

beforeEach(() => {
  order = new RosterOrder();
});

function message(type: string, version: unknown, encoding: Encoding = 'json') {
  return { encoding, body: CODECS[encoding].encode({ type, payload: { version } as never }) };
}

/** Whether a session accepts a roster of this version. */
function accepts(session: object, version: number, room = ROOM): boolean {
  return order.judge(room, message('room_info', version))(session);
}

test('a roster is accepted until a newer change has arrived', () => {
  expect(accepts(ANN, 7)).toBe(true);
  order.changed(ROOM, message('user_joined', 8));
  expect([accepts(ANN, 7), accepts(ANN, 8), accepts(ANN, 9)]).toEqual([false, true, true]);
  expect(accepts(ANN, 7, {})).toBe(true);
});

test.for(['json', 'msgpack'] as const)('changes in %s count, and other messages do not', encoding => {
  order.changed(ROOM, message('new_message', 9, encoding));
  order.changed(ROOM, message('user_joined', 'nine', encoding));
  order.changed(ROOM, { encoding, body: new Uint8Array([1, 2]) });
  expect(accepts(ANN, 7)).toBe(true);
  order.changed(ROOM, message('user_left', 9, encoding));
  order.changed(ROOM, message('user_joined', 'nine', encoding));
  expect(accepts(ANN, 7)).toBe(false);
  expect(order.judge(ROOM, message('new_message', 7, encoding))(BOB)).toBe(true);
});

test('every session is refused an old roster, however many got one before', () => {
  order.changed(ROOM, message('user_left', 10));
  expect([accepts(ANN, 8), accepts(BOB, 9), accepts(BOB, 10), accepts(ANN, 10)]).toEqual([false, false, true, true]);
});

test('a second change overtakes the second roster, too', () => {
  order.changed(ROOM, message('user_left', 10));
  expect(accepts(ANN, 8)).toBe(false);
  order.changed(ROOM, message('user_left', 12));
  expect([accepts(ANN, 10), accepts(ANN, 12)]).toEqual([false, true]);
});

test('after a loss of the registry, with lower versions, a session is refused once', () => {
  order.changed(ROOM, message('user_left', 1000));
  expect([accepts(ANN, 5), accepts(ANN, 5), accepts(BOB, 6), accepts(BOB, 6)]).toEqual([false, true, false, true]);
});

test('a roster without a version is accepted', () => {
  order.changed(ROOM, message('user_left', 10));
  const body = jsonCodec.encode({ type: 'room_info', payload: {} });
  expect(order.judge(ROOM, { encoding: 'json', body })(ANN)).toBe(true);
});
