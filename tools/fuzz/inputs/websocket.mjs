/** Generates frames that RFC 6455 forbids, and unusual frames that it allows. */
import { encodeFrame, encodeText, OPCODE } from '@hubbub/tools/kit';
import { closeFrame } from '../wire/connections.mjs';

const PING = '{"type":"ping","id":"still-here"}';
/** The engine's limit of a message: it closes the connection above it. */
const TRANSPORT_BOUND = 65_536n;
const CONTROL = [OPCODE.close, OPCODE.ping, OPCODE.pong];
const RESERVED = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15];
const NOT_UTF8 = 'ff c0af c328 e28028 eda080 f0808080 f4908080 f5808080 80 e282 f09f98'
  .split(' ')
  .map(hex => Buffer.from(hex, 'hex'));
const BAD_CODES = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535];

/** Violations that end the connection. */
export function violation(random) {
  return opened(random, random.pick(VIOLATIONS)(random), { expect: 'cut' });
}

const text = random => Buffer.from(`{"type":"ping","x":"${'x'.repeat(random.int(0, 200))}"}`);
const mask = random => random.next();

const VIOLATIONS = [
  random => [
    encodeFrame(random.pick([1, 2, 8, 9, 10]), text(random).subarray(0, 100), {
      rsv: random.int(1, 7),
      mask: mask(random),
    }),
  ],
  random => [encodeFrame(random.pick(RESERVED), random.bytes(random.int(0, 100)), { mask: mask(random) })],
  random => [encodeFrame(random.pick(CONTROL), random.bytes(random.int(0, 100)), { fin: false })],
  random => [encodeFrame(random.pick(CONTROL), random.bytes(random.int(126, 2000)))],
  random => [
    encodeFrame(random.pick(CONTROL), Buffer.alloc(50), { lengthBits: 64, length: BigInt(random.int(126, 60_000)) }),
  ],
  random => [encodeFrame(OPCODE.continuation, text(random), { fin: random.chance() })],
  random => [encodeFrame(OPCODE.text, text(random), { fin: false }), encodeFrame(OPCODE.text, text(random))],
  random => [
    encodeFrame(OPCODE.text, text(random), { fin: false }),
    encodeFrame(OPCODE.ping, Buffer.alloc(3)),
    encodeFrame(OPCODE.ping, random.bytes(5), { fin: false }),
  ],
];

/** Text that is not UTF-8, whole or in fragments, and in the reason of a close. */
export function notUtf8(random) {
  const bad = Buffer.concat([Buffer.from('{"type":"'), random.pick(NOT_UTF8), Buffer.from('"}')]);
  const at = random.int(1, bad.length - 1);
  const frames = random.pick([
    () => [encodeFrame(OPCODE.text, bad, { mask: mask(random) })],
    () => [
      encodeFrame(OPCODE.text, bad.subarray(0, at), { fin: false }),
      encodeFrame(OPCODE.continuation, bad.subarray(at)),
    ],
    () => [closeFrame(1000, random.pick(NOT_UTF8))],
  ])();
  return opened(random, frames, { expect: 'cut' });
}

/** Wrong close codes, a close of one byte, and data after a close. */
export function badClose(random) {
  const frames = random.pick([
    () => [closeFrame(random.pick(BAD_CODES), random.bytes(random.int(0, 100)).toString('hex').slice(0, 100))],
    () => [encodeFrame(OPCODE.close, random.bytes(1))],
    () => [closeFrame(random.int(0, 65_535), random.text(20))],
    () => [closeFrame(1000), encodeText(PING), closeFrame(1000)],
    () => [encodeFrame(OPCODE.close, Buffer.alloc(0)), random.bytes(random.int(1, 500))],
    () => [encodeFrame(OPCODE.text, Buffer.from('{'), { fin: false }), closeFrame(1001)],
  ])();
  return opened(random, frames, { expect: 'cut' });
}

/** Lengths above the engine's limit: it must close the connection before the bytes arrive. */
export function tooLong(random) {
  const length = random.pick([
    () => TRANSPORT_BOUND + BigInt(random.int(1, 100_000)),
    () => 2n ** 31n + BigInt(random.int(-2, 2)),
    () => 2n ** 32n + BigInt(random.int(-2, 2)),
    () => 2n ** 63n + BigInt(random.int(-2, 2)),
    () => 2n ** 64n - BigInt(random.int(1, 9)),
  ])();
  if (random.chance(0.2)) {
    const piece = Buffer.alloc(30_000, 0x20);
    const rest = [0, 0].map(() => encodeFrame(OPCODE.continuation, piece, { fin: false }));
    return opened(random, [encodeFrame(OPCODE.text, piece, { fin: false }), ...rest], { expect: 'cut' });
  }
  return opened(
    random,
    [encodeFrame(random.pick([1, 2]), random.bytes(random.int(0, 50)), { lengthBits: 64, length })],
    {
      expect: 'cut',
    },
  );
}

/**
 * Wrong lengths within the limit, and unmasked frames: the engine misreads the bytes after them.
 * Also a binary message within a fragmented one: RFC 6455 section 5.4 forbids it, and the engine accepts it.
 */
export function lyingLength(random) {
  const payload = text(random);
  const wrong = random.pick([
    () => ({ lengthBits: 16, length: BigInt(random.int(0, 65_535)) }),
    () => ({ lengthBits: 64, length: BigInt(random.int(0, 65_536)) }),
    () => ({ length: BigInt(random.int(0, 125)) }),
    () => ({ masked: false }),
    () => ({ masked: false, lengthBits: 16 }),
    () => undefined,
  ])();
  if (wrong === undefined) {
    const within = [
      encodeFrame(OPCODE.text, payload, { fin: false }),
      encodeFrame(OPCODE.binary, payload),
      encodeFrame(OPCODE.continuation, payload),
    ];
    return opened(random, within, { expect: 'any', lingerMs: random.int(1, 10) });
  }
  return opened(
    random,
    [encodeFrame(random.pick([1, 2, 9]), payload.subarray(0, 125), wrong), random.bytes(random.int(0, 300))],
    {
      expect: 'any',
      lingerMs: random.int(1, 10),
    },
  );
}

/** Allowed: control frames between fragments, empty fragments, lengths in more bytes than needed, split writes. */
export function oddButAllowed(random) {
  const frames = [];
  for (let messages = random.int(1, 4); messages > 0; messages--) {
    const payload = text(random);
    let from = 0;
    for (let pieces = random.int(1, 6); pieces > 0; pieces--) {
      const to = pieces === 1 ? payload.length : random.int(from, payload.length);
      const opcode = frames.length === 0 || frames.fresh ? OPCODE.text : OPCODE.continuation;
      frames.fresh = pieces === 1;
      frames.push(
        encodeFrame(opcode, payload.subarray(from, to), {
          fin: pieces === 1,
          mask: mask(random),
          ...(random.chance(0.3) && { lengthBits: 16 }),
        }),
      );
      if (random.chance(0.4))
        frames.push(
          encodeFrame(random.pick([OPCODE.ping, OPCODE.pong]), random.bytes(random.int(0, 125)), {
            mask: mask(random),
          }),
        );
      from = to;
    }
  }
  return opened(random, [...frames, encodeText(PING)], { expect: 'pong', cutsWrites: random.chance(0.3) });
}

/** Connections that end in the middle of the upgrade's response, of a join, or of a frame. */
export function halfOpen(random) {
  const join = encodeText(
    JSON.stringify({
      type: 'join_room',
      id: 'j',
      payload: { room_id: random.pick(['victims', 'log:victims', 'many:victims']) },
    }),
  );
  const message = encodeText('{"type":"send_message","room":"victims","payload":{"content":"half"}}', {
    mask: mask(random),
  });
  const status = encodeText('{"type":"set_status","payload":{"status":"going"}}');
  const frames = random.pick([
    () => [],
    () => [join],
    () => [join, message],
    () => [join, status, message.subarray(0, random.int(1, message.length - 1))],
    () => [encodeFrame(OPCODE.text, Buffer.alloc(100), { lengthBits: 16, length: 60_000n })],
    () => [encodeFrame(OPCODE.text, text(random), { fin: false })],
    () => [join.subarray(0, random.int(1, join.length - 1))],
  ])();
  return opened(random, frames, {
    expect: 'any',
    ending: random.pick(['fin', 'reset', 'reset']),
    lingerMs: random.pick([0, 0, 0, 1, 4]),
  });
}

/** Puts the upgrade first. `eager`: the frames go in the same write as the upgrade; RFC 6455 section 4.1 forbids that. */
function opened(random, frames, { cutsWrites = false, ...rest }) {
  const bytes = Buffer.concat(frames);
  let parts = [{ bytes }];
  if (cutsWrites && bytes.length > 1) {
    const at = random.int(1, bytes.length - 1);
    parts = [{ bytes: bytes.subarray(0, at) }, { bytes: bytes.subarray(at), afterMs: 2 }];
  }
  return { opens: true, eager: rest.expect === 'any' && random.chance(0.3), parts, ...rest };
}
