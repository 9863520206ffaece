/** Rows of the registry: written rows are read back, and foreign rows do no harm. */
import { describe, expect, test } from 'vitest';
import { Room, rosterUser } from '../src/partition/room.js';
import { decodeMember, decodeUser, encodeMember, encodeUser } from '../src/partition/row-codec.js';
import { DEFAULT_NAMESPACE_RULES } from '../src/partition/rules.js';
import { SmallMap } from '../src/partition/small-map.js';

type Row = NonNullable<ReturnType<typeof decodeMember>>;
const sessionsOf = (entries: Readonly<Record<string, number>>): SmallMap<number> => {
  const sessions = new SmallMap<number>();
  for (const [session, incarnation] of Object.entries(entries)) sessions.set(session, incarnation);
  return sessions;
};
const here: Row = {
  id: 'alice',
  name: 'Alice',
  sessions: sessionsOf({ s1: 1 }),
  state: 'here',
  dueAtMs: 0,
  status: undefined,
  statuses: undefined,
  lastSeenMs: undefined,
};

describe('the row of a member', () => {
  test.each([
    ['["Alice",1,"s1"]', here],
    ['[0,1,"s1"]', { ...here, name: 'alice' }],
    ['["Alice",1,"s1",{"s":"busy"}]', { ...here, status: 'busy', statuses: new Map([['s1', 'busy']]) }],
    [
      '["Alice",{"s":"busy","l":7}]',
      { ...here, sessions: sessionsOf({}), status: 'busy', state: 'leaving', dueAtMs: 7 },
    ],
    ['["Alice",{"a":7,"d":5}]', { ...here, sessions: sessionsOf({}), state: 'away', dueAtMs: 7, lastSeenMs: 5 }],
    [
      '["Alice",1,"s1",2,"s2",{"s":"away","b":["s1","busy","s2","away"]}]',
      {
        ...here,
        sessions: sessionsOf({ s1: 1, s2: 2 }),
        status: 'away',
        statuses: new Map([
          ['s1', 'busy'],
          ['s2', 'away'],
        ]),
      },
    ],
  ] satisfies [string, Row][])('%s is what is written and read', (text, row) => {
    expect(encodeMember({ ...row, order: 1 })).toBe(text);
    expect(decodeMember('alice', text)).toEqual(row);
  });

  test.each([
    ['of no array', '{"name":"Alice"}'],
    ['of no JSON', 'Alice'],
    ['without a name', '[7,1,"s1"]'],
  ])('%s is not read', (_, text) => {
    expect(decodeMember('alice', text)).toBeUndefined();
  });

  test.each([
    ['sessions that are none', '["Alice",1,"s1","2","s2",3,4]'],
    ['half a session', '["Alice",1,"s1",2]'],
    ['a time that no date has', '["Alice",1,"s1",{"d":1e300}]'],
    ['a time in text', '["Alice",1,"s1",{"d":"5"}]'],
    ['a status of a session that is not there', '["Alice",1,"s1",{"b":["s9","busy"]}]'],
  ])('with %s is read without them', (_, text) => {
    expect(decodeMember('alice', text)).toEqual(here);
  });

  test('without a session and a deadline is due', () => {
    expect(decodeMember('alice', '["Alice"]')).toMatchObject({ state: 'leaving', dueAtMs: 0 });
  });
});

describe('the row of a user', () => {
  test.each([
    ['[1,"s1","a","b",2,"s2"]', 0],
    ['[{"l":7}]', 7],
  ])('%s is what is written and read', (text, dueAtMs) => {
    const user = decodeUser('alice', text);
    expect(user?.dueAtMs).toBe(dueAtMs);
    expect(user && encodeUser(user)).toBe(text);
  });

  test('with rooms without a session, or with a deadline beside a session, is read without them', () => {
    const user = decodeUser('alice', '["a",1,"s1","b",{"l":7}]');
    expect(user?.dueAtMs).toBe(0);
    expect(user && encodeUser(user)).toBe('[1,"s1","b"]');
    expect(decodeUser('alice', '[]')).toMatchObject({ dueAtMs: 0 });
  });
});

test('rosters show last_seen only for a member that is away, if it is known', () => {
  const room = new Room('general', DEFAULT_NAMESPACE_RULES, 1, true);
  for (const text of ['["A",{"a":7}]', '["B",{"a":7,"d":5}]', '["C",{"l":7,"d":5}]']) {
    const row = decodeMember(text.charAt(2), text);
    if (row !== undefined) room.restore(row);
  }
  expect([...room.members.values()].map(rosterUser)).toEqual([
    { id: 'A', name: 'A', online: false },
    { id: 'B', name: 'B', online: false, last_seen: '1970-01-01T00:00:00.005Z' },
    { id: 'C', name: 'C' },
  ]);
});
