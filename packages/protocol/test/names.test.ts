/** Names of rooms, frame types and channels: their grammars and how they are parsed. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Channels } from '../src/channels.js';
import { isFrameType } from '../src/frame.js';
import { isRoomName, namespaceOf, ROOM_NAME_MAX_BYTES } from '../src/room-name.js';
import { frameType, roomName, text } from './arbitraries.js';

describe('a room name', () => {
  test('matches the grammar', () => {
    fc.assert(fc.property(roomName, isRoomName));
  });

  test('has 1 to 255 bytes', () => {
    expect(isRoomName('')).toBe(false);
    expect(isRoomName('r'.repeat(ROOM_NAME_MAX_BYTES))).toBe(true);
    expect(isRoomName('r'.repeat(ROOM_NAME_MAX_BYTES + 1))).toBe(false);
  });

  test.for(['-a', ':a', '.', 'a b', 'a/b', 'a}b', 'a{b', 'ä', 'a\n', '\na', 'a%20b', 'a?b', 'a#b', '__proto__/x'])(
    'is not %j',
    name => expect(isRoomName(name)).toBe(false),
  );

  test('needs no escaping in a path, in JSON and as a hash tag', () => {
    fc.assert(
      fc.property(roomName, room => {
        expect(new URL(`http://x/rooms/${room}/ws`).pathname).toBe(`/rooms/${room}/ws`);
        expect(JSON.stringify(room)).toBe(`"${room}"`);
        expect(/\{(.*?)\}/.exec(new Channels().room(room))?.[1]).toBe(room);
      }),
    );
  });

  test('has its namespace before the first colon', () => {
    expect(namespaceOf('chat:42:7')).toBe('chat');
    expect(namespaceOf('general')).toBe('default');
  });
});

describe('a frame type', () => {
  test('matches the grammar', () => {
    fc.assert(fc.property(frameType, isFrameType));
  });

  test.for(['', 'A', '1a', '_a', 'a.', '.a', 'a..b', 'a-b', 'a b', 'ä', 'a\n', 'a'.repeat(65)])('is not %j', type => {
    expect(isFrameType(type)).toBe(false);
  });

  test('of any length is checked in linear time', () => {
    expect(isFrameType(`${'a.'.repeat(1_000_000)}!`)).toBe(false);
  });
});

describe('a channel', () => {
  const channels = new Channels('test');

  test('is read back as the address it was made of', () => {
    fc.assert(
      fc.property(text(), name => {
        expect(channels.parse(channels.room(name))).toEqual({ kind: 'room', room: name });
        expect(channels.parse(channels.user(name))).toEqual({ kind: 'user', userId: name });
        expect(channels.parse(channels.node(name))).toEqual({ kind: 'node', nodeId: name });
      }),
    );
    expect(channels.parse(channels.broadcast)).toEqual({ kind: 'broadcast' });
  });

  test('of another cluster, or of no cluster, is not parsed', () => {
    const other = new Channels('other');
    for (const channel of [other.broadcast, other.room('general'), 'test:room:{general', 'test:room:general}', '']) {
      expect(channels.parse(channel)).toBeUndefined();
    }
    fc.assert(fc.property(text(40), name => channels.parse(name) === undefined));
  });
});
