/** roomPaths of the configuration file: their effect, and the problems of invalid ones. */
import { expect, test } from 'vitest';
import { roomPathsSchema } from '../src/room-paths.js';

function problemsOf(roomPaths: unknown): string[] {
  const parsed = roomPathsSchema.safeParse(roomPaths);
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

test('a path names its parts, and the room is made of them', () => {
  const parsed = roomPathsSchema.parse({ '/projects/{project}/sessions/{session}/ws': 'pairwise:{project}.{session}' });
  expect(parsed).toEqual([
    {
      path: '/projects/{project}/sessions/{session}/ws',
      names: ['project', 'session'],
      room: [{ text: 'pairwise:' }, { name: 'project' }, { text: '.' }, { name: 'session' }],
    },
  ]);
});

test('a room may use some names of the path, or none', () => {
  expect(problemsOf({ '/a/{x}/{y}/ws': 'room:{x}', '/lobby': 'lobby', '/{room}': '{room}' })).toEqual([]);
});

test.each([
  ['no slash in front', { 'a/ws': 'a' }, 'expected a path like'],
  ['an empty segment', { '/a//ws': 'a' }, 'expected a path like'],
  ['a pattern of the engine', { '/a/:x/ws': 'a' }, 'expected a path like'],
  ['a name that is only part of a segment', { '/a-{x}/ws': 'a:{x}' }, 'expected a path like'],
  ['a name twice', { '/{x}/{x}': 'a:{x}' }, 'expected each name once'],
  ['a path that every edge has', { '/rooms/{room}/ws': 'a:{room}' }, 'is a path of every edge'],
  ['two paths for the same requests', { '/{a}/ws2': 'a:{a}', '/{b}/ws2': 'b:{b}' }, 'the same requests as /{a}/ws2'],
  ['a name that the path does not have', { '/{a}/x': 'a:{b}' }, '{b} of the room is not in the path'],
  ['names without text between', { '/{a}/{b}': 'r:{a}{b}' }, 'expected text between two names'],
  ['characters that no room has', { '/{a}': 'r/{a}' }, 'expected the template of a room'],
  ['a first character that no room has', { '/{a}': ':{a}' }, 'expected the template of a room'],
  ['a brace that does not close', { '/{a}': '{a' }, 'expected the template of a room'],
  ['no room', { '/{a}': '' }, 'expected the template of a room'],
  ['no text', { '/a': 1 }, 'expected the template of a room'],
  ['no object', ['/a'], 'expected an object from path to room'],
])('reports the problem of %s with the right form', (_, roomPaths, problem) => {
  const problems = problemsOf(roomPaths);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(problem);
});
