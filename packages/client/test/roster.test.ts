/** The roster follows presence by version, whatever the order of arrival. */
import type { Frame } from '@hubbub/protocol';
import { expect, it, vi } from 'vitest';
import { Roster } from '../src/roster.js';

const user = (id: string) => ({ id, name: id.toUpperCase() });
const info = (version: number, ids: string[], type = 'room_info', count = ids.length): Frame => ({
  type,
  payload: { room_id: 'r', users: ids.map(user), count, version },
});
const change = (type: 'user_joined' | 'user_left', version: number, id: string, count: number): Frame => ({
  type,
  payload: { user: user(id), count, version },
});
const ids = (roster: Roster): string[] => roster.users.map(({ id }) => id);

it('takes joins and leaves after room_info', () => {
  const changed = vi.fn();
  const roster = new Roster(changed);
  roster.take(info(5, ['a', 'b']));
  roster.take(change('user_joined', 6, 'c', 3));
  roster.take(change('user_left', 7, 'a', 2));
  expect(ids(roster)).toEqual(['b', 'c']);
  expect(roster.count).toBe(2);
  expect(changed).toHaveBeenCalledTimes(3);
});

it('ignores updates older than its version', () => {
  const roster = new Roster(() => {});
  roster.take(info(5, ['a', 'b']));
  roster.take(change('user_left', 5, 'b', 1));
  roster.take(change('user_joined', 4, 'z', 9));
  roster.take(info(3, [], 'online_users'));
  expect(ids(roster)).toEqual(['a', 'b']);
  expect(roster.count).toBe(2);
});

it('keeps a join that overtook the room_info', () => {
  const roster = new Roster(() => {});
  roster.take(change('user_joined', 8, 'c', 3));
  roster.take(info(7, ['a', 'b']));
  expect(ids(roster)).toEqual(['a', 'b', 'c']);
  expect(roster.count).toBe(3);
});

it('believes the first room_info of a new session, also when the registry restarted empty', () => {
  const roster = new Roster(() => {});
  roster.take(info(900, ['a', 'b']));
  roster.expectFresh();
  roster.take(change('user_joined', 2, 'd', 2));
  roster.take(info(1, ['a']));
  expect(ids(roster)).toEqual(['a', 'd']);
  roster.take(info(0, [], 'room_info'));
  expect(ids(roster)).toEqual(['a', 'd']);
});

it('gives the exact count where the users are only a page', () => {
  const roster = new Roster(() => {});
  roster.take(info(1, ['a'], 'room_info', 5_000));
  roster.take(change('user_left', 2, 'unknown', 4_999));
  expect([roster.users.length, roster.count]).toEqual([1, 4_999]);
});

it('follows the statuses of users, and counts without names', () => {
  const roster = new Roster(() => {});
  roster.take(info(5, ['a', 'b']));
  const status = (version: number, id: string): Frame => ({
    type: 'user_status',
    payload: { user: { ...user(id), online: false, status: 'away' }, version },
  });
  roster.take(status(6, 'a'));
  roster.take(status(7, 'x')); // On a later page of a large roster: its position is not known.
  roster.take(status(6, 'b'));
  expect(roster.users).toEqual([{ ...user('a'), online: false, status: 'away' }, user('b')]);
  roster.take({ type: 'room_count', payload: { room_id: 'r', count: 700, version: 8 } });
  roster.take({ type: 'room_count', payload: { room_id: 'r', count: 3, version: 7 } });
  expect(roster.count).toBe(700);
  for (const payload of [{}, { count: 'many' }, { user: null, version: 9 }]) {
    roster.take({ type: 'room_count', payload });
    roster.take({ type: 'user_status', payload });
  }
  expect(roster.count).toBe(700);
});
