/** Every reader of the package, with hostile bytes: a value or the documented error, in time linear in the bytes. */
import { encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Channels } from '../src/channels.js';
import { parseClientFrame } from '../src/client-frame.js';
import { decodeEnvelope, encodeEnvelope } from '../src/envelope.js';
import { HubbubError } from '../src/errors.js';
import { isFrameType } from '../src/frame.js';
import { jsonCodec, toJsonValue } from '../src/json-codec.js';
import { msgpackCodec } from '../src/msgpack-codec.js';
import { payloadProblem } from '../src/payload.js';
import { decodeReports } from '../src/report-codec.js';
import { isRoomName } from '../src/room-name.js';
import { parsePlainMessage } from '../src/service-message.js';
import { roomPrefix, spliceRoom } from '../src/splice.js';
import { chooseSubprotocol } from '../src/subprotocol.js';
import { body, changedBytes, hostileJson } from './arbitraries.js';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** Readers of bytes from a client or from Redis. Each may throw a HubbubError and nothing else. */
const READERS: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
  'a JSON frame': bytes => parseClientFrame(jsonCodec.decode(bytes)),
  'a MessagePack frame': bytes => parseClientFrame(msgpackCodec.decode(bytes)),
  'a MessagePack value for JSON members': bytes => JSON.stringify(toJsonValue(msgpackCodec.decode(bytes))),
  'a JSON value for MessagePack members': bytes => {
    const value = jsonCodec.decode(bytes);
    if (payloadProblem({ value }, { max_payload_depth: 64, max_payload_keys: 100_000 }) !== undefined) return undefined;
    return msgpackCodec.decode(msgpackCodec.encode({ type: 'x', payload: { value } }));
  },
  'a plain message': bytes => parsePlainMessage(jsonCodec.decode(bytes)),
  'an envelope': decodeEnvelope,
  'an envelope that begins like one': bytes => decodeEnvelope(Uint8Array.from([1, ...bytes])),
  'a batch of reports': bytes => decodeReports(text(bytes)),
  'a JSON body': bytes => spliceRoom('json', roomPrefix('json', 'general'), bytes),
  'a MessagePack body': bytes =>
    spliceRoom('msgpack', roomPrefix('msgpack', 'general'), bytes, { epoch: 'e', offset: 7 }),
  'a subprotocol header': bytes => chooseSubprotocol(text(bytes)),
  'a room name': bytes => isRoomName(text(bytes)),
  'a frame type': bytes => isFrameType(text(bytes)),
  'a channel': bytes => new Channels('test').parse(text(bytes)),
};

function read(reader: (bytes: Uint8Array) => unknown, bytes: Uint8Array): void {
  try {
    reader(bytes);
  } catch (error) {
    if (!(error instanceof HubbubError)) throw error;
  }
}

const goodBytes = body.chain(frame =>
  fc.constantFrom<Uint8Array>(
    jsonCodec.encode(frame),
    msgpackCodec.encode(frame),
    encodeEnvelope({ encoding: 'json', publishedAtMs: 1, excludeSession: 's.1', room: 'r' }, jsonCodec.encode(frame)),
    Buffer.from(JSON.stringify([1, 'edge-1/a', ['j', 'general', 's.1', 'u1', 0, 0, { a: 1 }], ['q', 's.1', 'u1']])),
  ),
);
const hostileBytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  goodBytes.chain(changedBytes),
  hostileJson.map(value => Buffer.from(JSON.stringify(value))),
  hostileJson.map(value => encode(value)),
);

describe.for(Object.entries(READERS))('%s', ([, reader]) => {
  test('of any bytes is read or refused', () => {
    fc.assert(
      fc.property(hostileBytes, bytes => read(reader, bytes)),
      { numRuns: 2000 },
    );
  });

  test('takes time that grows with the number of bytes, for any content', () => {
    const SIZE = 250_000;
    const patterns = [
      ...[
        '[',
        '{',
        '{"a":',
        '[[],',
        '"',
        '\\',
        'a.',
        'a,',
        'e',
        'eA.',
        ', ',
        ':',
        '0',
        '-',
        ' ',
        '\u0001',
        '\u0002',
        '{}',
      ],
      ...['\u0091', '\u0081\u00a1a', '\u00dc\u000f\u00ff', '\u00dd\u0001\u00ff\u00ff\u00ff', '\u00c0', '\u00a1'],
    ];
    // Short ones with another end, too: names are read only up to their length, and a bad pattern needs no more.
    const texts = patterns.flatMap(pattern => [
      pattern.repeat(Math.ceil(SIZE / pattern.length)),
      ...[64, 128].map(length => `${pattern.repeat(length).slice(0, length - 1)}!`),
    ]);
    for (const hostile of texts) {
      const bytes = Buffer.from(hostile, 'latin1');
      const beganAtMs = performance.now();
      read(reader, bytes);
      // A linear reader takes some tens of milliseconds for a quarter of a megabyte; a quadratic one, much longer.
      expect(performance.now() - beganAtMs, JSON.stringify(hostile.slice(0, 20))).toBeLessThan(1500);
    }
  });
});

test('an envelope that was tampered with is refused, or is well-formed in every field', () => {
  const header = {
    encoding: 'json',
    publishedAtMs: 1_700_000_000_000,
    excludeSession: 's.1',
    sessions: ['a', 'b'],
  } as const;
  const whole = encodeEnvelope(
    { ...header, room: 'general', conflationKey: 'k', epoch: 'e', offset: 7 },
    Buffer.from('{}'),
  );
  const isText = (value: unknown) => value === undefined || typeof value === 'string';
  const wire = { e: 'j', t: 1, x: 's.1', s: ['a'], r: 'general', p: 1, k: 'k', o: 7, h: 'e', c: { do: 'close_room' } };
  const otherField = fc.tuple(fc.constantFrom(...Object.keys(wire)), hostileJson).map(([name, value]) => {
    return Buffer.from(`\u0001${JSON.stringify({ ...wire, [name]: value })}\u0002{}`);
  });
  fc.assert(
    fc.property(fc.oneof(changedBytes(whole), otherField), bytes => {
      const envelope = decodeEnvelope(bytes);
      if (envelope === undefined) return;
      expect(['json', 'msgpack']).toContain(envelope.encoding);
      expect(Number.isFinite(envelope.publishedAtMs)).toBe(true);
      expect([envelope.excludeSession, envelope.room, envelope.epoch, envelope.conflationKey].every(isText)).toBe(true);
      expect((envelope.sessions ?? []).every(session => typeof session === 'string')).toBe(true);
      expect(envelope.offset === undefined).toBe(envelope.epoch === undefined);
      expect(envelope.offset ?? 1).toBeGreaterThan(0);
    }),
    { numRuns: 5000 },
  );
});
