/** Values that both SDKs refuse to send, with their error messages: shared by the tests of both. */
class Point {
  readonly x = 1;
}

const circular: Record<string, unknown> = {};
circular.self = [circular];

/** The payload, and how its problem begins. */
export const REFUSED_VALUES: readonly (readonly [what: string, payload: unknown, problem: string])[] = [
  [
    'a Map',
    { items: [0, 1, 2, { when: new Map() }] },
    'payload.items[3].when: Map cannot be sent; send JSON data or a Uint8Array',
  ],
  ['a Set', { a: new Set() }, 'payload.a: Set cannot be sent; send JSON data or a Uint8Array'],
  ['an Error', { a: new RangeError('x') }, 'payload.a: RangeError cannot be sent; send JSON data or a Uint8Array'],
  [
    'an ArrayBuffer',
    { a: new ArrayBuffer(2) },
    'payload.a: ArrayBuffer cannot be sent; send JSON data or a Uint8Array',
  ],
  ['a Float32Array', { a: new Float32Array(2) }, 'payload.a: Float32Array cannot be sent'],
  ['a DataView', { a: new DataView(new ArrayBuffer(2)) }, 'payload.a: DataView cannot be sent'],
  ['a RegExp', { a: /x/ }, 'payload.a: RegExp cannot be sent'],
  ['a URL', { a: new URL('http://a/') }, 'payload.a: URL cannot be sent'],
  ['a Promise', { a: Promise.resolve() }, 'payload.a: Promise cannot be sent'],
  [
    'an instance of a class',
    { a: { b: new Point() } },
    'payload.a.b: Point cannot be sent; send JSON data or a Uint8Array',
  ],
  ['a boxed string', { a: new String('x') }, 'payload.a: String cannot be sent'],
  ['a bigint', { a: 1n }, 'payload.a: BigInt cannot be sent; send JSON data or a Uint8Array'],
  ['a function', { a: () => {} }, 'payload.a: Function cannot be sent'],
  ['toJSON', { a: { toJSON: () => 1 } }, 'payload.a.toJSON: Function cannot be sent'],
  ['a symbol', { a: Symbol('x') }, 'payload.a: Symbol cannot be sent'],
  ['NaN', { a: Number.NaN }, 'payload.a: NaN cannot be sent'],
  ['Infinity', { a: [-1 / 0] }, 'payload.a[0]: -Infinity cannot be sent'],
  ['an invalid date', { a: new Date(Number.NaN) }, 'payload.a: Invalid Date cannot be sent'],
  [
    'undefined in an array',
    { a: [1, undefined] },
    'payload.a[1]: undefined cannot be sent; send JSON data or a Uint8Array',
  ],
  ['a hole in an array', { a: Array(2) }, 'payload.a[0]: undefined cannot be sent; send JSON data or a Uint8Array'],
  ['half an emoji', { 'a b': '\ud83d' }, 'payload["a b"]: half a surrogate pair cannot be sent'],
  ['half an emoji in a key', { a: { '\ude00': 1 } }, 'payload.a["\\ude00"]: half a surrogate pair cannot be sent'],
  ['the key __proto__', { a: JSON.parse('{"__proto__":1}') }, 'payload.a.__proto__: __proto__ cannot be sent'],
];

/** A payload that contains itself, and its problem. */
export const CIRCULAR = circular;
