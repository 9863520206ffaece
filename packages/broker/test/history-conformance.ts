/** The guarantees of every implementation of histories. Run against memory and against a real Redis. */
import { randomUUID } from 'node:crypto';
import { decodeEnvelope, encodeEnvelope } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import type { Broker } from '../src/broker.js';
import { type History, type HistoryAppend, type HistoryEntry, locate } from '../src/history.js';

export interface HistoryUnderTest {
  readonly history: History;
  /** Receives the messages that the history publishes. */
  readonly broker: Broker;
}

export function historyConformance(open: () => Promise<HistoryUnderTest>): void {
  async function newRoom({ size = 100, ttlMs = 60_000 } = {}) {
    const { history, broker } = await open();
    const room = `chat:${randomUUID()}`;
    const channel = `room:{${room}}`;
    const heard: string[] = [];
    broker.onEnvelope((_, envelope) => heard.push(notice(envelope)));
    await eventually(() => broker.subscribe(channel).then(() => true));
    return {
      history,
      heard,
      append: (text: string, more: Partial<HistoryAppend> = {}) =>
        history.append({ room, channel, envelope: envelopeOf(text), size, ttlMs, ...more }),
      read: (query: object = {}) => history.read({ room, ttlMs, limit: 100, ...query }),
    };
  }

  test('an envelope is counted, published with its position, and remembered as it was published', async () => {
    const { append, read, heard } = await newRoom();
    const { epoch } = await read();
    expect(await append('a')).toEqual({ epoch, offset: 1, repeated: false });
    expect(await append('b')).toEqual({ epoch, offset: 2, repeated: false });
    await eventually(() => heard.length === 2);
    expect(heard).toEqual([`${epoch} 1 a`, `${epoch} 2 b`]);
    const page = await read();
    expect(page).toMatchObject({ epoch, offset: 2 });
    expect(page.entries.map(({ envelope }) => notice(envelope))).toEqual(heard);
  });

  test('simultaneous appends keep the order of the calls', async () => {
    const { append, read, heard } = await newRoom({ size: 1000 });
    const positions = await Promise.all(Array.from({ length: 500 }, (_, index) => append(`${index}`)));
    expect(positions.map(({ offset }) => offset)).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));
    await eventually(() => heard.length === 500);
    expect(heard.map(text => text.split(' ')[2])).toEqual(Array.from({ length: 500 }, (_, index) => `${index}`));
    expect((await read({ limit: 1000 })).entries.map(({ envelope }) => notice(envelope))).toEqual(heard);
  });

  test('a repeated idempotency key changes nothing and gets the first position', async () => {
    const { append, read, heard } = await newRoom();
    const first = await append('a', { idempotencyKey: 'alice/m 1' });
    await append('b', { idempotencyKey: 'alice/m 2' });
    const again = await append('a', { idempotencyKey: 'alice/m 1' });
    expect(again).toEqual({ ...first, repeated: true });
    await append('end');
    await eventually(() => heard.length === 3);
    expect((await read()).offset).toBe(3);
  });

  test('only the newest are remembered, and offsets continue', async () => {
    const { append, read } = await newRoom({ size: 3 });
    for (const text of ['a', 'b', 'c', 'd', 'e']) await append(text);
    const page = await read();
    expect(page.offset).toBe(5);
    expect(offsets(page.entries)).toEqual([3, 4, 5]);
  });

  test('is read in pages from either end, always oldest first', async () => {
    const { append, read } = await newRoom();
    for (let index = 1; index <= 10; index++) await append(`${index}`);
    expect(offsets((await read({ after: 4, limit: 3 })).entries)).toEqual([5, 6, 7]);
    expect(offsets((await read({ before: 4 })).entries)).toEqual([1, 2, 3]);
    expect(offsets((await read({ after: 2, before: 9, limit: 2, from: 'newest' })).entries)).toEqual([7, 8]);
    expect(offsets((await read({ limit: 2, from: 'newest' })).entries)).toEqual([9, 10]);
    expect(await read({ limit: 0 })).toMatchObject({ offset: 10, entries: [] });
    expect((await read({ before: 1 })).entries).toEqual([]);
    expect((await read({ after: 10 })).entries).toEqual([]);
  });

  test('envelopes that are larger together than the bound are not read; the answer names the offset below which they are', async () => {
    const { append, read } = await newRoom({ size: 200 });
    for (let index = 1; index <= 150; index++) await append('x'.repeat(100));
    const bytes = (await read({ after: 149 })).entries[0]?.envelope.length ?? 0;
    const query = { from: 'newest', limit: 200 };
    const fitting = await read({ ...query, after: 50, maxBytes: 100 * bytes });
    expect(offsets(fitting.entries)).toEqual(Array.from({ length: 100 }, (_, index) => index + 51));
    expect(fitting).not.toHaveProperty('tooLargeBelow');
    expect(await read({ ...query, after: 49, maxBytes: 100 * bytes })).toMatchObject({
      offset: 150,
      entries: [],
      tooLargeBelow: 50,
    });
    expect(offsets((await read({ ...query, limit: 100, maxBytes: 100 * bytes })).entries).at(0)).toBe(51);
  });

  test('reading where nothing was appended begins an epoch that stays', async () => {
    const { append, read } = await newRoom();
    const { epoch, offset } = await read();
    expect(offset).toBe(0);
    expect((await read()).epoch).toBe(epoch);
    expect(await append('a')).toMatchObject({ epoch, offset: 1 });
  });

  test('envelopes expire before their position does; after both, an epoch begins', async () => {
    const { append, read } = await newRoom({ ttlMs: 300 });
    const { epoch } = await append('a');
    const page = await eventually(async () => {
      const now = await read();
      return now.entries.length === 0 && now;
    });
    expect(page).toMatchObject({ epoch, offset: 1 });
    await new Promise(resolve => setTimeout(resolve, 750)); // No condition to wait for: a read would keep the position alive.
    expect((await append('b')).epoch).not.toBe(epoch);
  });

  test('a history that reaches exactly to a known position continues', async () => {
    const { append, read } = await newRoom();
    const first = await append('a');
    expect(await read({ known: first })).toMatchObject({ epoch: first.epoch, offset: 1 });
    const second = await append('b', { known: first });
    expect(second).toMatchObject({ epoch: first.epoch, offset: 2 });
    expect(await append('c', { known: second })).toMatchObject({ epoch: first.epoch, offset: 3 });
    expect(offsets((await read({ known: { ...second, offset: 3 } })).entries)).toEqual([1, 2, 3]);
  });

  test('a history that does not reach a known position continues in a new epoch, behind a bridge', async () => {
    const { append, read } = await newRoom();
    const position = await append('a', { idempotencyKey: 'alice/a' });
    expect(await read({ known: position })).toMatchObject({ epoch: position.epoch, offset: 1, bridges: [] });
    const lost = await read({ known: { ...position, offset: 2 } });
    expect(lost.epoch).not.toBe(position.epoch);
    expect(lost).toMatchObject({ offset: 1, bridges: [{ epoch: position.epoch, offset: 1 }] });
    expect(offsets(lost.entries)).toEqual([1]);
    const next = await append('b', { known: position });
    expect(next).toMatchObject({ epoch: lost.epoch, offset: 2 });
    const after = await append('c', { known: { ...next, offset: 3 } });
    expect(after.epoch).not.toBe(next.epoch);
    expect(after.offset).toBe(3);
    const page = await read();
    expect(offsets(page.entries)).toEqual([1, 2, 3]);
    expect(page.bridges).toEqual([
      { epoch: next.epoch, offset: 2 },
      { epoch: position.epoch, offset: 1 },
    ]);
    expect([1, 2].map(offset => locate({ epoch: position.epoch, offset }, page))).toEqual([
      { epoch: page.epoch, offset: 1 },
      undefined,
    ]);
    const again = await append('a', { idempotencyKey: 'alice/a' });
    expect(again).toEqual({ epoch: page.epoch, offset: 1, repeated: true });
  });

  test('only the bridges of the last eight epochs are remembered', async () => {
    const { append, read } = await newRoom();
    const epochs: string[] = [];
    for (let offset = 1; offset <= 10; offset++) {
      const { epoch } = await append(`${offset}`);
      epochs.unshift(epoch);
      await read({ known: { epoch, offset: offset + 1 } });
    }
    const { bridges } = await read();
    expect(bridges).toEqual(epochs.slice(0, 8).map((epoch, index) => ({ epoch, offset: 10 - index })));
  });
}

function envelopeOf(text: string): Uint8Array {
  return encodeEnvelope(
    { encoding: 'msgpack', publishedAtMs: 1 },
    Buffer.from([0xff, 0x00, 0x02, ...Buffer.from(text)]),
  );
}

/** `epoch offset text`, as in the envelope. */
function notice(bytes: Uint8Array): string {
  const envelope = decodeEnvelope(bytes);
  return `${envelope?.epoch} ${envelope?.offset} ${Buffer.from(envelope?.body.subarray(3) ?? []).toString()}`;
}

function offsets(entries: readonly HistoryEntry[]): number[] {
  return entries.map(({ offset }) => offset);
}
