/** Channels of the Pusher protocol as rooms, and close codes as its clients understand them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CLOSE_CODES, closeAdvice } from '../src/close-codes.js';
import { isUserId } from '../src/identifiers.js';
import {
  channelKind,
  channelOfRoom,
  escapeName,
  isRoomOfUser,
  kindOfRoom,
  onlineRoom,
  pusherCloseCode,
  roomOfChannel,
  userChannel,
} from '../src/pusher/index.js';
import { namespaceOf } from '../src/room-name.js';

/** Short enough for a room, whatever the characters. */
const userId = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .filter(id => isUserId(id) && new TextEncoder().encode(id).length <= 32);
const channel = fc.oneof(
  fc.stringMatching(/^(private-|presence-|private-encrypted-)?(cache-)?[A-Za-z0-9_=@,.;-]{1,12}$/),
  userId.map(userChannel),
);

describe('the room of a channel', () => {
  test('leads back to its channel, so two channels never share one', () => {
    fc.assert(fc.property(channel, name => channelOfRoom(roomOfChannel('1', name) ?? '') === name));
  });

  test('is in a namespace of its app alone', () => {
    fc.assert(
      fc.property(channel, name => {
        const namespace = namespaceOf(roomOfChannel('1', name) ?? '');
        expect([
          'pusher-1',
          'pusher-1.presence',
          'pusher-1.cache',
          'pusher-1.presence-cache',
          'pusher-1.user',
        ]).toContain(namespace);
      }),
    );
  });

  test.for([
    ['news', 'pusher-1:news'],
    ['private-a;b,c', 'pusher-1:private-a:b+c'],
    ['presence-x', 'pusher-1.presence:presence-x'],
    ['cache-x', 'pusher-1.cache:cache-x'],
    ['private-encrypted-cache-x', 'pusher-1.cache:private-encrypted-cache-x'],
    ['presence-cache-x', 'pusher-1.presence-cache:presence-cache-x'],
    ['#server-to-user-a~3bb', 'pusher-1.user:a~7e3bb'],
    ['#server-to-user-ä:/#+,;', 'pusher-1.user:~c3~a4~3a~2f~23~2b+:'],
  ])('of %s is %s', ([name = '', room]) => expect(roomOfChannel('1', name)).toBe(room));

  test.for([
    '',
    'a~3bb',
    'pusher-2:x',
    'a b',
    'ä',
    '#a',
    '#server-to-user-',
    'a'.repeat(201),
    `#server-to-user-${'ä'.repeat(64)}`,
  ])('does not exist for %j', name => expect(roomOfChannel('1', name)).toBeUndefined());

  test('exists for every name that Pusher permits, whatever its characters, prefix and app', () => {
    for (const prefix of ['', 'private-', 'private-encrypted-cache-', 'presence-cache-']) {
      for (const character of 'aZ9_-=@,.;') {
        const name = prefix.padEnd(200, character);
        const room = roomOfChannel('a'.repeat(32), name) ?? '';
        expect([channelOfRoom(room), room.length <= 255], name).toEqual([name, true]);
      }
    }
  });

  test('begins with the room of each beginning of its channel', () => {
    fc.assert(fc.property(userId, userId, (begin, end) => escapeName(begin + end).startsWith(escapeName(begin))));
  });
});

test('the room in which a user is online is a room of the user, in a namespace without channels', () => {
  fc.assert(
    fc.property(userId, id => {
      const room = onlineRoom('1', id) ?? '';
      expect([isRoomOfUser(room), namespaceOf(room)]).toEqual([true, 'pusher-1.online']);
    }),
  );
});

test('rooms of other namespaces have no kind', () => {
  for (const room of ['news', 'chat:x', 'pusher-1.other:x', 'xpusher-1:x', 'pusher-:x']) {
    expect(kindOfRoom(room), room).toBeUndefined();
    expect(channelOfRoom(room)).toBe(room);
  }
});

test.for([
  ['news', false, false, false, false],
  ['private-x', true, false, false, false],
  ['private-encrypted-x', true, false, true, false],
  ['presence-x', true, true, false, false],
  ['presence-cache-x', true, true, false, true],
  ['private-encrypted-cache-x', true, false, true, true],
  ['cache-private-x', false, false, false, true],
] as const)('the kind of %s', ([name, isPrivate, isPresence, isEncrypted, isCache]) => {
  expect(channelKind(name)).toEqual({ isPrivate, isPresence, isEncrypted, isCache });
});

test('a client of Pusher returns after a close where a client of Hubbub does, and never without a delay', () => {
  for (const code of Object.values(CLOSE_CODES)) {
    const pusherCode = pusherCloseCode(code);
    if (code < 4000) expect(pusherCode).toBe(code);
    else expect(pusherCode, String(code)).toBe(closeAdvice(code) === 'reconnect' ? 4100 : 4009);
  }
});
