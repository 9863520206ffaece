/** Reports in the log: compact, unchanged by a round trip, and harmless when they are malformed. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fnv1a, partitionOf } from '../src/partition-hash.js';
import { isStatus, nodeOf, REPORTED_STATUS_MAX_BYTES, type Report, STATUS_MAX_BYTES } from '../src/report.js';
import { decodeReports, encodeReports } from '../src/report-codec.js';

const INCARNATION = 'edge-1/abc';

const REPORTS: readonly Report[] = [
  { kind: 'join', room: 'chat:1', session: 's1', user: 'u1', name: 'One' },
  { kind: 'join', room: 'chat:1', session: 's1', user: 'u1', name: 'u1', resync: true, status: { mood: 'good' } },
  { kind: 'join', room: 'chat:1', session: 's1', user: 'u1', name: '', status: 'away' },
  { kind: 'leave', room: 'chat:1', session: 's1', user: 'u1' },
  { kind: 'drop', room: 'chat:1', session: 's1', user: 'zoë' },
  { kind: 'status', room: 'chat:1', session: 's1', user: 'u1' },
  { kind: 'status', room: 'chat:1', session: 's1', user: 'u1', status: 'busy' },
  { kind: 'roster', room: 'chat:1', session: 's1', question: 1 },
  { kind: 'roster', room: 'chat:1', session: 's1', question: 2, after: 100 },
  { kind: 'connect', session: 's1', user: 'u1' },
  { kind: 'disconnect', session: 's1', user: 'u1' },
  { kind: 'enter', session: 's1', user: 'u1', room: 'r' },
  { kind: 'exit', session: 's1', user: 'u1', room: 'r' },
  { kind: 'node_gone', gone: 'edge-2/x' },
];

test('every report is read as it was written', () => {
  const { batch, malformed } = decodeReports(encodeReports({ incarnation: INCARNATION, reports: REPORTS }));
  expect(malformed).toBe(0);
  expect(batch).toEqual({ incarnation: INCARNATION, reports: REPORTS });
});

test('a join costs the log less than 80 bytes', () => {
  const join: Report = {
    kind: 'join',
    room: 'chat:room-1',
    session: 'AbCdEfGh.1a2',
    user: 'user-12345',
    name: 'A Name Of 20 Letters',
  };
  const one = encodeReports({ incarnation: INCARNATION, reports: [join] }).length;
  const two = encodeReports({ incarnation: INCARNATION, reports: [join, join] }).length;
  expect(two - one).toBeLessThan(80);
});

test('a malformed report is dropped and counted, the others of its batch are kept in order', () => {
  const good = ['c', 's1', 'u1'];
  const long = 'x'.repeat(129);
  const bad = [
    null,
    5,
    [],
    ['?'],
    ['j', 'not a room!', 's', 'u', 0],
    ['j', 'r', 's', long, 0],
    ['j', 'r', 's', 'u', long],
    ['j', 'r', 's', 'u', 0, 0, 'y'.repeat(REPORTED_STATUS_MAX_BYTES)],
    ['j', 'r', 's', 'u', 0, 0, 5],
    ['l', 'r', 's'],
    ['r', 'r', 's', -1],
    ['r', 'r', 's', 0, long],
    ['c', '', 'u'],
    ['c', 'x'.repeat(65), 'u'],
    ['g'],
    { toString: 'x' },
  ];
  const { batch, malformed } = decodeReports(JSON.stringify([1, INCARNATION, good, ...bad, good]));
  expect(malformed).toBe(bad.length);
  expect(batch?.reports).toEqual([
    { kind: 'connect', session: 's1', user: 'u1' },
    { kind: 'connect', session: 's1', user: 'u1' },
  ]);
});

test.each(['', '{', 'null', '[]', '[1]', '["1","a"]', '[1,5]', '{"1":1}', '"x"'])('%j is not a batch', text => {
  expect(decodeReports(text)).toEqual({ malformed: 1 });
});

test('nothing that anybody could write to the log throws', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.array(fc.anything()).map(value => JSON.stringify([1, 'i', value])),
      ),
      text => {
        decodeReports(text);
      },
    ),
    { numRuns: 2000, seed: 3 },
  );
});

test('the node of an incarnation is the part before the last slash', () => {
  expect(nodeOf('edge-1/abc')).toBe('edge-1');
  expect(nodeOf('a/b/c')).toBe('a/b');
  expect(nodeOf('edge-1')).toBe('edge-1');
});

test('a status is a short string or object', () => {
  expect([isStatus('x'), isStatus({ a: 1 }), isStatus('x'.repeat(STATUS_MAX_BYTES - 2))]).toEqual([true, true, true]);
  const bad = [5, null, undefined, [], 'x'.repeat(STATUS_MAX_BYTES - 1), 'é'.repeat(STATUS_MAX_BYTES / 2)];
  expect(bad.map(isStatus)).toEqual(bad.map(() => false));
});

test('partitions: FNV-1a of the UTF-8 bytes, the same everywhere, evenly spread', () => {
  // Test vectors of draft-eastlake-fnv, appendix C.
  expect([fnv1a(''), fnv1a('a'), fnv1a('foobar')]).toEqual([0x811c9dc5, 0xe40c292c, 0xbf9cf968]);
  expect(fnv1a('é')).toBe([0xc3, 0xa9].reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193) >>> 0, 0x811c9dc5));
  const counts = Array(16).fill(0);
  for (let room = 0; room < 16_000; room++) counts[partitionOf(`chat:room-${room}`, 16)]++;
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(200);
});
