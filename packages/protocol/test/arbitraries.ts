/** Generators for the property tests of this package. */
import fc from 'fast-check';
import type { Frame } from '../src/frame.js';

/** Every character, including control characters and emoji. */
export const text = (maxLength = 20) => fc.string({ unit: 'binary', maxLength });

/** Keys of payloads: any text but `__proto__`, which is refused (PROTOCOL.md section 3). */
export const key = text(8).filter(name => name !== '__proto__');

/** Values that JSON and MessagePack both carry unchanged. */
const leaf = fc.oneof(text(), fc.boolean(), fc.constant(null), fc.maxSafeInteger(), fc.double(finite()));

function finite(): fc.DoubleConstraints {
  return { noNaN: true, noDefaultInfinity: true };
}

const { value } = fc.letrec<{ value: unknown }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

/** -0 is 0 in JSON; nothing else changes here. */
const plain = (drawn: unknown) => JSON.parse(JSON.stringify(drawn)) as unknown;

export const payload = fc
  .dictionary(key, value, { maxKeys: 5, noNullPrototype: true })
  .map(drawn => plain(drawn) as Record<string, unknown>);

export const frameType = fc.stringMatching(/^[a-z][a-z0-9_]{0,15}(\.[a-z0-9_]{1,8}){0,2}$/);

export const roomName = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.:@~=+-]{0,254}$/);

/** Frames as they travel in an envelope: without `room` and `offset`. */
export const body: fc.Arbitrary<Frame> = fc.record(
  {
    type: frameType,
    payload,
    sender: fc.record({ id: text(), name: text() }),
    timestamp: fc
      .date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') })
      .map(d => d.toISOString()),
    id: text(),
  },
  { requiredKeys: ['type'], noNullPrototype: true },
);

/** Keys that JavaScript would call, inherit or set; here they are only keys. */
const TREACHEROUS = ['__proto__', 'constructor', 'toString', 'valueOf', 'toJSON', 'then', 'length', 'hasOwnProperty'];

/** JSON values with fields of frames and treacherous keys, and values of every type in them. */
export const { hostileJson } = fc.letrec<{ hostileJson: unknown }>(tie => ({
  hostileJson: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.constantFrom(-0, 2 ** 53, 1e308, 5e-324, '\ud800', '\udc00x', '\u0000'),
    fc.array(tie('hostileJson'), { maxLength: 4 }),
    fc
      .array(
        fc.tuple(
          fc.oneof(fc.constantFrom(...TREACHEROUS, 'type', 'room', 'id', 'payload', 'key', 'sender', 'do'), text(6)),
          tie('hostileJson'),
        ),
        { maxLength: 5 },
      )
      .map(objectOf),
  ),
}));

/** `__proto__` becomes a key like any other, as `JSON.parse` makes it. */
function objectOf(entries: readonly (readonly [string, unknown])[]): unknown {
  const object = {};
  for (const [name, value] of entries) {
    Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return object;
}

/** The bytes with some of them changed, removed or inserted. */
export function changedBytes(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  const change = fc.tuple(fc.nat(), fc.nat(2), fc.nat(255));
  return fc.array(change, { minLength: 1, maxLength: 4 }).map(changes => {
    const list = [...bytes];
    for (const [at, removed, byte] of changes) list.splice(at % (list.length + 1), removed, byte);
    return Uint8Array.from(list);
  });
}
