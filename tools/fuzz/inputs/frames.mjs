/** Generates bad frames of Hubbub as values: fields of every wrong type, hostile names, and payloads beyond the bounds. */
import { CLIENT_FRAME_TYPES, EDGE_FRAME_TYPES } from '@hubbub/protocol';
import { QUIET_ROOM, VICTIM_ROOMS } from '../target/target.mjs';

const FIELDS = 'type room id message_id payload sender timestamp offset __proto__ constructor toString toJSON'.split(
  ' ',
);
const PAYLOAD_FIELDS = 'room_id epoch offset rooms since before limit after status content reason'.split(' ');
const STRANGE_TYPES = [
  ...EDGE_FRAME_TYPES,
  'constructor',
  '__proto__',
  'hasownproperty',
  'to_string',
  'hubbub.close_room',
  'a.b.c',
  'x'.repeat(64),
  'X',
  '',
  'a..b',
  'join room',
  'join_room\n',
];
const STRANGE_ROOMS = [
  '',
  ' ',
  '-a',
  ':',
  '__proto__',
  'constructor',
  'a}b',
  '{a}',
  '{',
  'a b',
  'a/b',
  '../..',
  'ä',
  '\u0000',
  'a\r\nPUBLISH',
  'x'.repeat(255),
  'x'.repeat(256),
  'x'.repeat(3000),
  '*',
  'a:*',
  'secret:1',
  '\ud800',
  '💥',
  'victims ',
  'Victims',
  'log:',
  'a,b',
];
const STRANGE_NUMBERS = [0, -0, -1, 1.5, 1e21, 2 ** 53, -(2 ** 53), 2 ** 31, 2 ** 32, 1e308, 5e-324, 4_294_967_295];

/** Generates a frame with some fields of a wrong type or strange value; it may be valid by chance. */
export function strangeFrame(random) {
  const fields = {};
  if (random.chance(0.97))
    fields.type = random.chance(0.85) ? random.pick(CLIENT_FRAME_TYPES) : random.pick(STRANGE_TYPES);
  if (random.chance(0.7)) fields.room = random.chance(0.6) ? random.pick(VICTIM_ROOMS) : anything(random, 2);
  if (random.chance(0.5)) fields.id = random.chance(0.7) ? random.text(20) : anything(random, 2);
  if (random.chance(0.85)) fields.payload = random.chance(0.85) ? strangePayload(random) : anything(random, 3);
  if (random.chance(0.15)) setOwn(fields, random.pick(FIELDS), anything(random, 3));
  return fields;
}

function strangePayload(random) {
  const payload = {};
  for (let count = random.int(0, 4); count > 0; count--) {
    const field = random.chance(0.85) ? random.pick(PAYLOAD_FIELDS) : random.text(10);
    const isRoom = field === 'room_id' && random.chance(0.6);
    const value = isRoom
      ? random.pick(VICTIM_ROOMS)
      : field === 'rooms' && random.chance(0.8)
        ? strangeRooms(random)
        : anything(random, 3);
    setOwn(payload, field, value);
  }
  return payload;
}

function strangeRooms(random) {
  return Array.from({ length: random.int(0, 6) }, () => {
    const room = { room_id: random.chance(0.6) ? random.pick(VICTIM_ROOMS) : anything(random, 2) };
    if (random.chance(0.6)) room.epoch = random.chance() ? random.text(12) : anything(random, 1);
    if (random.chance(0.6)) room.offset = random.pick(STRANGE_NUMBERS);
    return random.chance(0.9) ? room : anything(random, 1);
  });
}

/** Generates any JSON value; objects contain names that JavaScript calls or inherits. */
export function anything(random, depth) {
  return random.pick(depth > 0 ? [...LEAVES, ...BRANCHES] : LEAVES)(random, depth);
}

const LEAVES = [
  () => null,
  random => random.chance(),
  random => random.pick(STRANGE_NUMBERS),
  random => random.int(-1000, 1000),
  random => random.text(30),
  random => random.pick(STRANGE_ROOMS),
  random => random.pick(VICTIM_ROOMS),
];
const BRANCHES = [
  (random, depth) => Array.from({ length: random.int(0, 4) }, () => anything(random, depth - 1)),
  (random, depth) => {
    const object = {};
    for (let count = random.int(0, 4); count > 0; count--) {
      const key = random.chance(0.4)
        ? random.pick('toString valueOf toJSON constructor __proto__ then length $base64 hasOwnProperty'.split(' '))
        : random.text(8);
      setOwn(object, key, anything(random, depth - 1));
    }
    return object;
  },
];

/** Sets `__proto__` like any other key, as `JSON.parse` does. */
function setOwn(object, key, value) {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

const NO_ROOMS = STRANGE_ROOMS.filter(name => name !== '' && name.isWellFormed() && !isRoomName(name));

/** Generates a frame with an invalid room name, and the code that must answer it. */
export function hostileRoom(random) {
  const type = random.pick(['join_room', 'leave_room']);
  const room = random.pick([
    () => random.pick(NO_ROOMS),
    () => `${random.text(20).toWellFormed()}{`, // A lone surrogate makes the whole frame invalid.
    () => random.pick([7, true, [], {}, ['victims'], { a: 1 }, -0.5]),
  ])();
  return { value: { type, payload: { room_id: room } }, code: 'INVALID_ROOM' };
}

/** Repeats the grammar of PROTOCOL.md section 5: the judge must not be the code under test. */
function isRoomName(name) {
  return /^[A-Za-z0-9_][A-Za-z0-9_.:@~=+-]{0,254}$/.test(name) && !name.endsWith('\n');
}

/** Generates a frame that is too deep, too large or has too many keys, and the code that must answer it. */
export function beyondBounds(random) {
  const message = payload => ({ type: 'send_message', room: QUIET_ROOM, payload });
  return random.pick([
    () => ({ value: message(nested(random.int(16, 80), random)), code: 'INVALID_PAYLOAD' }),
    () => ({ value: message({ list: Array(random.int(256, 1500)).fill(0) }), code: 'INVALID_PAYLOAD' }),
    () => ({
      value: message(Object.fromEntries(Array.from({ length: random.int(257, 320) }, (_, i) => [`k${i}`, 1]))),
      code: 'INVALID_PAYLOAD',
    }),
    () => ({ value: { type: 'ping', x: 'x'.repeat(random.int(4096, 20_000)) }, code: 'TOO_LARGE' }),
    () => ({ value: message(random.pick([7, 'text', [], true, null])), code: 'INVALID_PAYLOAD' }),
  ])();
}

/** Nests objects and lists, `levels` deep. */
function nested(levels, random) {
  let value = 1;
  for (let level = 0; level < levels; level++) value = random.chance() ? { x: value } : [value];
  return { x: value };
}
