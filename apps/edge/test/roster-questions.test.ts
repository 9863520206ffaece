/** Pending roster requests: answered or refused, exactly once. */
import type { HubbubError } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { cleanup } from '../../../tests/support/cleanup.js';
import { RosterQuestions } from '../src/presence/roster-questions.js';

function bench() {
  let nowMs = 0;
  let unanswered = 0;
  const refused: Array<[session: string, frame: object, code: string]> = [];
  const questions = new RosterQuestions({ onUnanswered: () => void unanswered++, now: () => nowMs });
  cleanup(async () => questions.close());
  return {
    questions,
    refused,
    unanswered: () => unanswered,
    pass: (ms: number) => {
      nowMs += ms;
    },
    session: (id: string) => ({
      id,
      refuse: (frame: object, { code }: HubbubError) => void refused.push([id, frame, code]),
    }),
  };
}

test('refuses a request without an answer after a timeout, and ignores a later answer', async () => {
  const { questions, refused, unanswered, pass, session } = bench();
  const first = questions.add(session('s1'), 'red', 'f1') ?? 0;
  pass(4000);
  const second = questions.add(session('s2'), 'blue', undefined) ?? 0;
  pass(1500);
  await eventually(() => refused.length === 1);
  expect(refused).toEqual([['s1', { room: 'red', id: 'f1' }, 'UNAVAILABLE']]);
  expect(questions.take(first, 's1')).toBeUndefined();
  expect(questions.take(second, 's2')).toMatchObject({ room: 'blue', frameId: undefined });
  expect(questions.take(second, 's2')).toBeUndefined();
  expect([questions.size, unanswered()]).toEqual([0, 1]);
});

test('ignores an answer to a request of an earlier process of the node', () => {
  const { questions, session } = bench();
  const number = questions.add(session('s1'), 'red', 'f1') ?? 0;
  expect(questions.take(number, 'of-before')).toBeUndefined();
  expect(questions.take(number, 's1')).toMatchObject({ room: 'red' });
});

test('bounds the pending requests, and refuses them on close', () => {
  const { questions, refused, session } = bench();
  let taken = 0;
  while (questions.add(session('s1'), 'red', 'f') !== undefined) taken++;
  expect(taken).toBe(20_000);
  questions.close();
  expect(refused).toHaveLength(20_000);
  expect(questions.size).toBe(0);
});
