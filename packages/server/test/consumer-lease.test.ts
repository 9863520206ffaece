/** A consumer that closes leaves no lease behind, whatever became of the question for it. */
import { HubbubError } from '@hubbub/protocol';
import { expect, test } from 'vitest';
import { eventually } from '../../../tests/support/eventually.js';
import { consume } from '../src/consumer/consume.js';
import type { Entry, Source } from '../src/consumer/source.js';

/** A log whose lease is taken by each question; `answers` says what the consumer hears of it. */
function start(answers: () => boolean) {
  const calls: string[] = [];
  const source = {
    hold: async (consumer: string) => {
      calls.push(`hold ${consumer}`);
      if (!answers()) throw new HubbubError('UNAVAILABLE', 'The answer was lost.');
      return true;
    },
    release: async (consumer: string) => void calls.push(`release ${consumer}`),
    read: () => new Promise(() => {}),
  } as unknown as Source<Entry>;
  const consumer = consume({ source, laneOf: () => 'lane', handle: () => {} }, {});
  return { consumer, calls };
}

test('a lease whose answer was lost is given back at the close', async () => {
  const { consumer, calls } = start(() => false);
  await eventually(() => calls.length > 0);
  await consumer.close();
  const [held] = calls[0]?.match(/(?<=hold ).*/) ?? [];
  expect(calls.at(-1)).toBe(`release ${held}`);
});

test('a lease that is held is given back once', async () => {
  const { consumer, calls } = start(() => true);
  await eventually(() => consumer.leading);
  await consumer.close();
  expect(calls.filter(call => call.startsWith('release'))).toHaveLength(1);
});
