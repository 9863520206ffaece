/** A consumer that closes leaves no lease behind, whatever happened to the request for it. */
import { HubbubError } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { consume } from '../src/consumer/consume.js';
import type { Entry, Source } from '../src/consumer/source.js';

/** A log whose lease is taken by each request; `answers` decides whether the consumer receives a reply. */
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

test('a lease whose answer was lost is released at the close', async () => {
  const { consumer, calls } = start(() => false);
  await eventually(() => calls.length > 0);
  await consumer.close();
  const [held] = calls[0]?.match(/(?<=hold ).*/) ?? [];
  expect(calls.at(-1)).toBe(`release ${held}`);
});

test('a lease that is held is released once', async () => {
  const { consumer, calls } = start(() => true);
  await eventually(() => consumer.leading);
  await consumer.close();
  expect(calls.filter(call => call.startsWith('release'))).toHaveLength(1);
});
