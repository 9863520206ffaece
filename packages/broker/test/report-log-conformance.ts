/** The guarantees of every report log. Run against memory and against a real Redis. */
import { expect, test } from 'vitest';
import { earlierPosition, LOG_START, type LogEntry, laterPosition, type ReportLog } from '../src/report-log.js';

const AT_ONCE = { waitMs: 0, limit: 100 };

/** `open` makes a new, empty log that holds at most `maxEntries` per partition. */
export function reportLogConformance(open: (maxEntries: number) => Promise<ReportLog>): void {
  test('entries of a partition are read in the order in which they were appended', async () => {
    const log = await open(100);
    await log.append([
      { partition: 1, text: 'a' },
      { partition: 2, text: 'x' },
      { partition: 1, text: 'b' },
    ]);
    await log.append([{ partition: 1, text: 'c' }]);
    const found = await log.read(fromStart(1, 2), AT_ONCE);
    expect(texts(found.get(1))).toEqual(['a', 'b', 'c']);
    expect(texts(found.get(2))).toEqual(['x']);
  });

  test('a numbered append is taken once, however often it arrives, and not after a later one', async () => {
    const log = await open(3);
    const append = (text: string, number: number, appender = 'edge-1/a') =>
      log.append([{ partition: 0, text }], { appender, number });
    await append('a', 1);
    expect(await append('a', 1)).toMatchObject([{ taken: true }]);
    await append('b', 2);
    expect(await append('a', 1), 'arrives late').toMatchObject([{ taken: true }]);
    await append('c', 1, 'edge-2/a');
    expect(await append('b', 2), 'repeated when the log is full').toMatchObject([{ taken: true }]);
    expect(await append('d', 3)).toMatchObject([{ taken: false }]);
    expect(texts((await log.read(fromStart(0), AT_ONCE)).get(0))).toEqual(['a', 'b', 'c']);
  });

  test('a read continues after the position it is given, and an entry knows when it was appended', async () => {
    const log = await open(100);
    const before = Date.now();
    await log.append(['a', 'b', 'c'].map(text => ({ partition: 0, text })));
    const [first] = (await log.read(fromStart(0), { waitMs: 0, limit: 1 })).get(0) ?? [];
    expect(first?.text).toBe('a');
    expect(Math.abs((first?.appendedAtMs ?? 0) - before)).toBeLessThan(5000);
    const rest = await log.read(new Map([[0, first?.position ?? '']]), AT_ONCE);
    expect(texts(rest.get(0))).toEqual(['b', 'c']);
  });

  test('a read without anything new answers with nothing when its time is over', async () => {
    const log = await open(100);
    expect((await log.read(fromStart(0), AT_ONCE)).size).toBe(0);
    expect((await log.read(fromStart(0), { waitMs: 10, limit: 10 })).size).toBe(0);
  });

  test('a waiting read wakes up for an append to any of its partitions', async () => {
    const log = await open(100);
    const reading = log.read(fromStart(0, 1, 2), { waitMs: 10_000, limit: 10 });
    await log.append([{ partition: 2, text: 'late' }]);
    expect(texts((await reading).get(2))).toEqual(['late']);
  });

  test('trimmed entries are gone, later ones stay', async () => {
    const log = await open(100);
    await log.append(['a', 'b', 'c'].map(text => ({ partition: 0, text })));
    const entries = (await log.read(fromStart(0), AT_ONCE)).get(0) ?? [];
    await log.trim(0, entries[1]?.position ?? '');
    expect(texts((await log.read(fromStart(0), AT_ONCE)).get(0))).toEqual(['c']);
  });

  test('the end is the position of the newest entry: only later entries follow it', async () => {
    const log = await open(100);
    expect(await log.end(0)).toBe(LOG_START);
    await log.append(['a', 'b'].map(text => ({ partition: 0, text })));
    const end = await log.end(0);
    expect((await log.read(fromStart(0), AT_ONCE)).get(0)?.at(-1)?.position).toBe(end);
    await log.append([{ partition: 0, text: 'c' }]);
    expect(texts((await log.read(new Map([[0, end]]), AT_ONCE)).get(0))).toEqual(['c']);
    const later = await log.end(0);
    expect([earlierPosition(end, later), earlierPosition(later, end)]).toEqual([end, end]);
    expect([laterPosition(end, later), laterPosition(later, end)]).toEqual([later, later]);
    await log.trim(0, later);
    await log.append([{ partition: 0, text: 'd' }]);
    expect(earlierPosition(await log.end(0), later)).toBe(later);
  });

  test('a full partition refuses and keeps what it has; the others take theirs', async () => {
    const log = await open(2);
    const taken = await log.append(['a', 'b'].map(text => ({ partition: 0, text })));
    expect(taken).toEqual([{ partition: 0, taken: true, fill: 0, oldestAgeMs: expect.any(Number) }]);
    const mixed = await log.append([
      { partition: 0, text: 'c' },
      { partition: 1, text: 'x' },
      { partition: 0, text: 'd' },
    ]);
    expect(mixed).toEqual([
      { partition: 0, taken: false, fill: 1, oldestAgeMs: expect.any(Number) },
      { partition: 1, taken: true, fill: 0, oldestAgeMs: expect.any(Number) },
    ]);
    const found = await log.read(fromStart(0, 1), AT_ONCE);
    expect(texts(found.get(0))).toEqual(['a', 'b']);
    expect(texts(found.get(1))).toEqual(['x']);
    await log.trim(0, found.get(0)?.[1]?.position ?? '');
    expect(await log.append([{ partition: 0, text: 'c' }])).toMatchObject([{ taken: true }]);
  });

  test('a partition takes all entries of a call or none', async () => {
    const log = await open(2);
    await log.append([{ partition: 0, text: 'a' }]);
    const three = ['b', 'c', 'd'].map(text => ({ partition: 0, text }));
    expect(await log.append(three)).toMatchObject([{ taken: true, fill: 0.5 }]);
    expect(await log.append(three)).toMatchObject([{ taken: false, fill: 2 }]);
    expect(texts((await log.read(fromStart(0), AT_ONCE)).get(0))).toEqual(['a', 'b', 'c', 'd']);
  });

  test('an append reports how old the oldest entry is, which trimming makes younger', async () => {
    const log = await open(100);
    const age = async (): Promise<number> => (await log.append([{ partition: 0, text: 'x' }]))[0]?.oldestAgeMs ?? -1;
    await age();
    const begun = Date.now();
    await expect.poll(age, { interval: 20 }).toBeGreaterThan(200);
    expect(await age()).toBeLessThan(Date.now() - begun + 100);
    await log.trim(0, await log.end(0));
    expect(await age()).toBeLessThan(200);
  });
}

function fromStart(...partitions: number[]): Map<number, string> {
  return new Map(partitions.map(partition => [partition, LOG_START]));
}

function texts(entries: readonly LogEntry[] | undefined): string[] {
  return (entries ?? []).map(entry => entry.text);
}
