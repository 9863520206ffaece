/** Generates bad frames of Hubbub as MessagePack, and bytes that are not MessagePack. */

import { encodeFrame, OPCODE } from '@hubbub/tools/kit';
import { Encoder, ExtData } from '@msgpack/msgpack';
import { beyondBounds, hostileRoom, strangeFrame } from './frames.mjs';

const encoder = new Encoder();
const inBinary = (bytes, code, random) => ({ bytes: encodeFrame(OPCODE.binary, bytes, { mask: random.next() }), code });
const encode = value => Buffer.from(encoder.encode(value));

export function strangeMsgpack(random) {
  return inBinary(encode(withBinary(strangeFrame(random), random)), undefined, random);
}

/** Puts values that JSON lacks into unexpected places. */
function withBinary(fields, random) {
  if (!random.chance(0.4)) return fields;
  const value = random.pick(STRANGERS)(random);
  if (random.chance(0.3)) return { ...fields, [random.pick(['type', 'room', 'id', 'payload'])]: value };
  const payload = {
    ...(typeof fields.payload === 'object' ? fields.payload : {}),
    [random.pick(['room_id', 'status', 'offset', 'rooms', 'content', 'after'])]: value,
  };
  return { ...fields, payload };
}

const STRANGERS = [
  random => random.bytes(random.int(0, 200)),
  () => new Date(0),
  () => new Date(8.64e15),
  () => Number.NaN,
  () => Number.POSITIVE_INFINITY,
  random => [random.bytes(3), new Date(1)],
  random => ({ b: random.bytes(3), d: new Date(-1) }),
];

/** Bytes that are not one complete, acceptable value. */
export function hostileMsgpack(random) {
  return inBinary(random.pick(HOSTILE)(random), 'INVALID_FORMAT', random);
}

const HEADS_WITH_LENGTH = [
  [0xc4, 1],
  [0xc5, 2],
  [0xc6, 4],
  [0xc7, 1],
  [0xc8, 2],
  [0xc9, 4],
  [0xd9, 1],
  [0xda, 2],
  [0xdb, 4],
  [0xdc, 2],
  [0xdd, 4],
  [0xde, 2],
  [0xdf, 4],
];
const typed = encode({ type: 'ping' });

const HOSTILE = [
  // Lengths beyond the end of the bytes: alone, and as the value of a field.
  random => claim(random),
  random => Buffer.concat([Buffer.from([0x81]), encode('type'), claim(random)]),
  random =>
    Buffer.concat([Buffer.from([0x82]), encode('type'), encode('send_message'), encode('payload'), claim(random)]),
  // Unfinished lists and maps, deeply nested; below the limit of a frame, which has another code.
  random => Buffer.alloc(random.int(1, 4000), 0x91),
  random => Buffer.concat(Array.from({ length: random.int(1, 1000) }, () => Buffer.from([0x81, 0xa1, 0x61]))),
  random =>
    Buffer.concat(Array.from({ length: random.int(1, 600) }, () => Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff]))),
  random =>
    Buffer.concat(
      Array.from({ length: random.int(1, 580) }, () => Buffer.from([0xdf, 0xff, 0xff, 0xff, 0xff, 0xa1, 0x61])),
    ),
  // Keys of wrong types, and `__proto__`.
  random =>
    Buffer.concat([
      Buffer.from([0x82]),
      encode('type'),
      encode('ping'),
      random.pick([7, -1, null, true, 1.5, [], {}].map(encode)),
      encode(1),
    ]),
  () =>
    Buffer.concat([Buffer.from([0x82]), encode('type'), encode('ping'), encode('__proto__'), encode({ admin: true })]),
  // Extension types.
  random =>
    encode({ type: 'ping', x: new ExtData(random.pick([0, 1, 7, 127, -2, -128]), random.bytes(random.int(0, 40))) }),
  random =>
    Buffer.concat([
      Buffer.from([0x82]),
      encode('type'),
      encode('ping'),
      encode('t'),
      Buffer.from([0xc7, random.pick([0, 1, 3, 5, 9, 13]), 0xff]),
      random.bytes(13),
    ]),
  // An unused byte, two values, a cut value.
  () => Buffer.from([0xc1]),
  random => Buffer.concat([typed, random.bytes(random.int(1, 50))]),
  random => typed.subarray(0, random.int(0, typed.length - 1)),
  // Whole values that are not frames.
  random =>
    encode(random.pick([null, true, 7, -1, 1.5, 'x', [], {}, [typed], { type: 7 }, { type: null }, { room: 'a' }])),
];

function claim(random) {
  const [head, lengthBytes] = random.pick(HEADS_WITH_LENGTH);
  const bytes = Buffer.concat([Buffer.from([head]), Buffer.alloc(lengthBytes, 0xff), random.bytes(random.int(0, 20))]);
  return random.chance(0.7)
    ? bytes
    : Buffer.concat([Buffer.from([head]), Buffer.alloc(lengthBytes - 1), Buffer.from([0x7f])]);
}

/** A frame with changed bytes. */
export function mutatedMsgpack(random) {
  const bytes = encode(strangeFrame(random));
  for (let changes = random.int(1, 5); changes > 0; changes--)
    bytes[random.int(0, bytes.length - 1)] = random.int(0, 255);
  return inBinary(bytes, undefined, random);
}

export function boundsMsgpack(random) {
  const { value, code } = beyondBounds(random);
  return inBinary(encode(value), code, random);
}

export function roomsMsgpack(random) {
  const { value, code } = hostileRoom(random);
  return inBinary(encode(value), code, random);
}

/** Text frames on a MessagePack session. */
export function textOnMsgpack(random) {
  return {
    bytes: encodeFrame(OPCODE.text, Buffer.from(JSON.stringify({ type: 'ping', id: random.text(10) })), {
      mask: random.next(),
    }),
    code: 'INVALID_FORMAT',
  };
}
