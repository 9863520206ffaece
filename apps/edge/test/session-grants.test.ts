/** Grants of a session: rights in one room, and the member that its roster shows. */
import { expect, test } from 'vitest';
import { Session } from '../src/sessions/session.js';

test('a grant of a service changes the rights of a member, and not the member', () => {
  const user = { id: 'anonymous:1', name: 'Anonymous' };
  const session = new Session(
    's1',
    {} as never,
    { user, rights: { allows: () => false }, encoding: 'pusher' } as never,
  );
  const member = { user: { id: 'ann', name: 'Ann' }, status: { user_info: 7 } };
  session.grant('room', { rights: ['join', 'publish'], member });
  session.grant('room', { rights: ['join'] });
  expect(session.allows('room', 'publish')).toBe(false);
  expect(session.userIn('room')).toEqual(member.user);
  expect(session.statusIn('room')).toEqual(member.status);
  expect(session.userIn('other')).toEqual(user);
  session.revoke('room');
  expect(session.userIn('room')).toEqual(user);
});
