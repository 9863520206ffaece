/** Rooms from paths: a request's segments become a room name. */
import type { RoomPath } from '@hubbub/config';
import { expect, test } from 'vitest';
import { roomRoutes } from '../src/listener/room-paths.js';

const PAIRWISE: RoomPath = {
  path: '/projects/{project}/sessions/{session}/attendees/{attendee}/ws',
  names: ['project', 'session', 'attendee'],
  room: [{ text: 'pairwise:' }, { name: 'project' }, { text: '.' }, { name: 'session' }],
};
const [rooms, pairwise] = roomRoutes([PAIRWISE]);
if (rooms === undefined || pairwise === undefined) throw new Error('A route is missing.');
const read = (...segments: string[]) => pairwise.read(at => segments[at]);

test('parameter names use the syntax of the router', () => {
  expect(rooms.pattern).toBe('/rooms/:room_id/ws');
  expect(pairwise.pattern).toBe('/projects/:project/sessions/:session/attendees/:attendee/ws');
});

test('builds the room from the decoded segments, and returns all of them', () => {
  expect(read('p1', 's%201', 'Zo%C3%AB')).toEqual({
    params: { project: 'p1', session: 's 1', attendee: 'Zoë' },
    room: '',
  });
  expect(read('p1', 's%2D1', 'Zo%C3%AB')).toMatchObject({ params: { attendee: 'Zoë' }, room: 'pairwise:p1.s-1' });
  expect(rooms.read(() => 'chat%3A42')).toEqual({ params: { room_id: 'chat:42' }, room: 'chat:42' });
});

test('two paths never map to the same room', () => {
  expect(read('a', 'b.c', 'x').room).toBe('pairwise:a.b.c');
  expect(read('a.b', 'c', 'x').room).toBe('');
  expect(read('a%2Eb', 'c', 'x').room).toBe('');
});

test.each([
  ['an empty segment', ['', 's']],
  ['a broken escape', ['%zz', 's']],
  ['a character that no room has', ['p%2F', 's']],
  ['a dot segment', ['%2e%2E', 's']],
  ['a dot segment that the room does not need', ['p', 's', '..']],
  ['a room that is too long', ['p', 's'.repeat(255)]],
])('rejects %s', (_, [project, session, attendee]) => {
  expect(read(project ?? '', session ?? '', attendee ?? 'x').room).toBe('');
});
