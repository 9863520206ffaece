/** Changes of a room or user that were undone within a moment. */
import type { LifecycleEntry } from '@hubbub/broker';
import { expect, test } from 'vitest';
import { debounce } from '../src/debounce.js';

const FULL = { occupied: 'room_occupied', vacated: 'room_vacated', joined: 'member_joined' } as const;

/** Entries such as `occupied 0`: name and time in ms. */
const entries = (...texts: string[]): LifecycleEntry[] =>
  texts.map(text => {
    const [name = '', at] = text.split(' ');
    const event = { event: FULL[name as keyof typeof FULL], room: 'game:1', user: 'u1', name: 'One', atMs: Number(at) };
    return { entryId: text, event, attempt: 1 } as LifecycleEntry;
  });

test.for([
  ['a change and its opposite', ['occupied 0', 'vacated 900'], []],
  ['an absence', ['vacated 0', 'occupied 900'], []],
  ['flapping that ends as it began', ['occupied 0', 'vacated 100', 'occupied 200', 'vacated 300'], []],
  ['flapping that ends differently', ['occupied 0', 'vacated 100', 'occupied 200'], ['occupied 200']],
  ['a change that lasted', ['occupied 0', 'vacated 1001'], ['occupied 0', 'vacated 1001']],
  ['one change', ['vacated 0'], ['vacated 0']],
  ['members are kept', ['occupied 0', 'joined 0', 'vacated 500'], ['joined 0']],
] as const)('%s', ([, given, kept]) => {
  expect(debounce(entries(...given), 1000).map(({ entryId }) => entryId)).toEqual(kept);
});
