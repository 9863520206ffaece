/** What every online counter must do. Run against memory and against a real Redis. */
import { expect, test } from 'vitest';
import type { OnlineCounter } from '../src/online-counter.js';

export function onlineCounterConformance(open: () => Promise<OnlineCounter>): void {
  test('nobody wrote: nobody is online', async () => {
    expect(await (await open()).total()).toBe(0);
  });

  test('the total is the sum of what each partition wrote last', async () => {
    const counter = await open();
    await counter.write(
      new Map([
        [0, 2],
        [1, 3],
      ]),
    );
    await counter.write(new Map([[1, 10]]));
    await counter.write(new Map());
    expect(await counter.total()).toBe(12);
  });
}
