/** Generates bad frames of Hubbub as JSON text. */

import { encodeFrame, OPCODE } from '@hubbub/tools/kit';
import { QUIET_ROOM, VICTIM_ROOMS } from '../target/target.mjs';
import { beyondBounds, hostileRoom, strangeFrame } from './frames.mjs';

const inText = (text, code, random) => ({
  bytes: encodeFrame(OPCODE.text, Buffer.from(text), { mask: random.next() }),
  code,
});

export function strangeJson(random) {
  return inText(JSON.stringify(strangeFrame(random)), undefined, random);
}

/** JSON that is cut, or has changed characters. Cut JSON is always invalid. */
export function brokenJson(random) {
  const text = JSON.stringify(strangeFrame(random));
  const shape = random.int(0, 3);
  if (shape === 0) return inText(text.slice(0, random.int(0, text.length - 1)), 'INVALID_FORMAT', random);
  if (shape === 1) return inText(random.pick(NO_FRAMES), 'INVALID_FORMAT', random);
  if (shape === 2) return inText('[{'.repeat(random.int(1, 2000)), 'INVALID_FORMAT', random);
  let changed = text;
  for (let changes = random.int(1, 4); changes > 0; changes--) {
    const at = random.int(0, changed.length);
    const replaced = random.pick([
      '',
      '"',
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '\\',
      '\\u',
      '\\ud800',
      '0',
      '-',
      'e',
      'null',
      '\u0000',
      '\ufeff',
      '/*',
      "'",
    ]);
    changed = changed.slice(0, at) + replaced + changed.slice(at + random.int(0, 2));
  }
  return inText(changed, undefined, random);
}

const NO_FRAMES = [
  '',
  ' ',
  'null',
  'true',
  '42',
  '"x"',
  '[]',
  '{}',
  '{"type":null}',
  '{"type":7}',
  '{"type":"Join"}',
  '{type:"ping"}',
  "{'type':'ping'}",
  'NaN',
  '-',
  '1e',
  '{"type":"ping",}',
  '{"type":"ping"}{"type":"ping"}',
  '{"__proto__":{"type":"ping"}}',
  '{"type":"ping","id":""}',
  '{"type":"ping","room":[]}',
  `{"type":"ping","id":"${'i'.repeat(65)}"}`,
  '{"type":["ping"]}',
];

export function boundsJson(random) {
  if (random.chance(0.15)) {
    const levels = random.int(0, 10);
    const payload = `${'{"a":'.repeat(levels)}{"__proto__":{"admin":true}}${'}'.repeat(levels)}`;
    return inText(`{"type":"send_message","room":"${QUIET_ROOM}","payload":${payload}}`, 'INVALID_PAYLOAD', random);
  }
  const { value, code } = beyondBounds(random);
  return inText(JSON.stringify(value), code, random);
}

export function roomsJson(random) {
  const { value, code } = hostileRoom(random);
  return inText(JSON.stringify(value), code, random);
}

/** Binary frames on a JSON session. */
export function binaryOnJson(random) {
  const bytes = random.chance()
    ? random.bytes(random.int(0, 300))
    : Buffer.from(JSON.stringify({ type: 'ping', room: random.pick(VICTIM_ROOMS) }));
  return { bytes: encodeFrame(OPCODE.binary, bytes, { mask: random.next() }), code: 'INVALID_FORMAT' };
}
