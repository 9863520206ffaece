/** Versions of envelopes and reports: two are read, others are refused by their own name, and leases advertise one. */
import { describe, expect, test } from 'vitest';
import { decodeEnvelope, encodeEnvelope, hasUnsupportedVersion } from '../src/envelope.js';
import { decodeReports, encodeReports } from '../src/report-codec.js';
import {
  advertisedVersion,
  advertiseVersion,
  PREVIOUS_WIRE_VERSION,
  WIRE_VERSION,
  writableVersion,
} from '../src/wire-version.js';

const READABLE = [PREVIOUS_WIRE_VERSION, WIRE_VERSION];
const UNSUPPORTED = [PREVIOUS_WIRE_VERSION - 1, WIRE_VERSION + 1, WIRE_VERSION + 100];
const REPORTS = [{ kind: 'connect', session: 's1', user: 'u1' }] as const;
const BODY = Buffer.from('{"type":"x"}');

describe('an envelope', () => {
  test.each(READABLE)('of version %i is read', version => {
    const bytes = encodeEnvelope({ encoding: 'json', publishedAtMs: 1, version }, BODY);
    expect(Buffer.from(decodeEnvelope(bytes)?.body ?? [])).toEqual(BODY);
    expect(hasUnsupportedVersion(bytes)).toBe(false);
  });

  test('of a service has no version and is read', () => {
    expect(decodeEnvelope(Buffer.from('\u0001{"e":"j","t":1}\u0002{"type":"x"}'))?.version).toBeUndefined();
  });

  test.each(UNSUPPORTED)('of version %i is refused, and recognized without its other fields', version => {
    const bytes = Buffer.from(`\u0001{"v":${version},"another":"form"}\u0002`);
    expect(decodeEnvelope(bytes)).toBeUndefined();
    expect(decodeEnvelope(Buffer.from(`\u0001{"e":"j","t":1,"v":${version}}\u0002`))).toBeUndefined();
    expect(hasUnsupportedVersion(bytes)).toBe(true);
  });

  test.each(['{"v":"9"}', '{"v":1.5}', '{"v":null}', '{}', '[]', '{', 'null'])('%s is malformed', header => {
    const bytes = Buffer.from(`\u0001${header}\u0002`);
    expect(decodeEnvelope(bytes)).toBeUndefined();
    expect(hasUnsupportedVersion(bytes)).toBe(false);
  });

  test('the first version costs no byte: it is what services write', () => {
    const header = { encoding: 'json', publishedAtMs: 1 } as const;
    expect(encodeEnvelope({ ...header, version: 1 }, BODY)).toEqual(encodeEnvelope(header, BODY));
  });
});

describe('reports', () => {
  test.each(READABLE)('of version %i are read', version => {
    const { batch, malformed } = decodeReports(encodeReports({ incarnation: 'edge-1/a', reports: REPORTS }, version));
    expect([batch?.reports, malformed]).toEqual([REPORTS, 0]);
  });

  test.each(UNSUPPORTED)('of version %i are refused, whatever follows', version => {
    const text = JSON.stringify([version, 'edge-1/a', { another: 'form' }]);
    expect(decodeReports(text)).toEqual({ malformed: 0, unsupportedFrom: 'edge-1/a' });
  });
});

describe('a lease', () => {
  test('advertises the version that its node reads', () => {
    expect(advertisedVersion(advertiseVersion('edge-1/k3f', 2))).toBe(2);
    expect(advertisedVersion(advertiseVersion('edge.v7/k3f', 12))).toBe(12);
  });

  test.each(['edge-1/k3f', 'edge.v7/k3f', 'edge-1/k3fv2', ''])('%j advertises the first version', name => {
    expect(advertisedVersion(name)).toBe(1);
  });
});

test.each([
  [0, PREVIOUS_WIRE_VERSION],
  [PREVIOUS_WIRE_VERSION, PREVIOUS_WIRE_VERSION],
  [WIRE_VERSION, WIRE_VERSION],
  [WIRE_VERSION + 1, WIRE_VERSION],
])('where the cluster writes version %i, this release writes %i', (cluster, own) => {
  expect(writableVersion(cluster)).toBe(own);
});
