/** The guarantees of every online counter. Run against memory and against a real Redis. */
import { expect, test } from 'vitest';
import type { OnlineCounter } from '../src/online-counter.js';

export function onlineCounterConformance(open: () => Promise<OnlineCounter>): void {
  test('the count is 0 before the first write', async () => {
    expect(await (await open()).total()).toBe(0);
  });

  test('the total is the sum of what each partition wrote last', async () => {
    const counter = await open();
    await counter.write(
      new Map([
        [0, { users: 2, fence: 1 }],
        [1, { users: 3, fence: 1 }],
      ]),
    );
    await counter.write(new Map([[1, { users: 10, fence: 1 }]]));
    await counter.write(new Map());
    expect(await counter.total()).toBe(12);
  });

  test('an earlier owner of a partition does not overwrite what a later one wrote', async () => {
    const counter = await open();
    const [earlier, later] = [1_700_000_000_000, 1_700_000_000_001];
    await counter.write(new Map([[0, { users: 2, fence: earlier }]]));
    await counter.write(new Map([[0, { users: 3, fence: later }]]));
    await counter.write(
      new Map([
        [0, { users: 99, fence: earlier }],
        [1, { users: 1, fence: earlier }],
      ]),
    );
    expect(await counter.total()).toBe(4);
  });
}
