/** Events suspected of ending the process are tried one at a time, so that only the guilty one counts attempts. */

import { eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { Attempts, type Handler } from '../src/consumer/attempts.js';
import { consumerSettings } from '../src/consumer/settings.js';
import type { Entry, Source } from '../src/consumer/source.js';
import type { Term } from '../src/consumer/term.js';

function start() {
  const log: string[] = [];
  const running = new Map<string, () => void>();
  const source = {
    retry: async (_consumer: string, entryId: string) => {
      log.push(`count ${entryId}`);
      return 1;
    },
    acknowledge: async () => {},
    deadLetter: async () => {},
  } as unknown as Source<Entry>;
  const handle: Handler<Entry> = ([{ entryId } = { entryId: '' }]) =>
    new Promise<void>(resolve => {
      log.push(`handle ${entryId}`);
      running.set(entryId, () => {
        running.delete(entryId);
        resolve();
      });
    });
  const attempts = new Attempts({ source, handle }, consumerSettings({}), new AbortController().signal);
  const term = { held: true, consumer: 'c', signal: new AbortController().signal } as unknown as Term<Entry>;
  const finish = (entryId: string, attempt: number) => attempts.finish([{ entryId, attempt }], term);
  return { log, running, finish };
}

describe('entries with attempts that ended with the process', () => {
  test('a second suspect is neither counted nor handled while the first one is', async () => {
    const { log, running, finish } = start();
    const both = Promise.all([finish('one', 3), finish('two', 3)]);
    await eventually(() => running.has('one'));
    await new Promise(resolve => setImmediate(resolve));
    // A process that ends now has counted an attempt of the first one alone.
    expect(log).toEqual(['count one', 'handle one']);
    running.get('one')?.();
    await eventually(() => running.has('two'));
    expect(log).toEqual(['count one', 'handle one', 'count two', 'handle two']);
    running.get('two')?.();
    await both;
  });

  test('others do not wait for a suspect', async () => {
    const { running, finish } = start();
    const all = Promise.all([finish('suspect', 3), finish('new', 1), finish('again', 2)]);
    await eventually(() => running.size === 3);
    for (const end of [...running.values()]) end();
    await all;
  });
});
