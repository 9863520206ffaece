/** Pages of a history as a client gets them. */
import { MemoryCluster } from '@hubbub/broker';
import { namespaceSettings } from '@hubbub/config';
import { type EnvelopeHeader, encodeEnvelope, jsonCodec } from '@hubbub/protocol';
import { msgpackCodec } from '@hubbub/protocol/msgpack';
import { createMetricsRegistry } from '@hubbub/runtime';
import { expect, test } from 'vitest';
import { HistoryReader, type PageRequest } from '../src/history/history-reader.js';
import { createRecoveryMetrics } from '../src/history/recovery-metrics.js';

const ROOM = 'general';

function startReader(historySize = 50) {
  const { history } = new MemoryCluster().open();
  const namespaces = { default: { ...namespaceSettings({}, 'default'), historySize } };
  const reader = new HistoryReader(history, namespaces, createRecoveryMetrics(createMetricsRegistry()));
  return {
    async publish(body: Uint8Array, header: Partial<EnvelopeHeader> = {}) {
      const envelope = encodeEnvelope({ encoding: 'json', publishedAtMs: 1, ...header }, body);
      return await history.append({ room: ROOM, channel: 'c', envelope, size: 50, ttlMs: 60_000 });
    },
    async read(request: Partial<PageRequest> = {}) {
      const session = { id: 's1', user: { id: 'ada', name: 'Ada' }, encoding: 'json' as const };
      return await reader.read(ROOM, { since: undefined, before: undefined, limit: 10, session, ...request });
    },
  };
}

const numbered = (n: number) => jsonCodec.encode({ type: 'new_message', payload: { n } });

test('returns the newest messages, those before an offset, and the oldest that follow one', async () => {
  const { publish, read } = startReader();
  for (let n = 1; n <= 5; n++) await publish(numbered(n));
  const offsets = async (request: Partial<PageRequest>) => {
    const { messages, more, next } = await read({ limit: 2, ...request });
    return [messages.map(({ offset }) => offset), more, next];
  };
  expect(await offsets({})).toEqual([[4, 5], true, 4]);
  expect(await offsets({ before: 4 })).toEqual([[2, 3], true, 2]);
  expect(await offsets({ before: 3 })).toEqual([[1, 2], false, undefined]);
  expect(await offsets({ since: 1 })).toEqual([[2, 3], true, 3]);
  expect(await offsets({ since: 3 })).toEqual([[4, 5], false, undefined]);
  expect(await offsets({ since: 1, before: 3 })).toEqual([[2], false, undefined]);
});

test('returns each message with its room and position, in the encoding of the session', async () => {
  const { publish, read } = startReader();
  const bytes = new Uint8Array([1, 2]);
  const { epoch } = await publish(numbered(1));
  await publish(msgpackCodec.encode({ type: 'new_message', payload: { bytes } }), { encoding: 'msgpack' });
  const first = { room: ROOM, epoch, offset: 1, type: 'new_message', payload: { n: 1 } };
  const second = { room: ROOM, epoch, offset: 2, type: 'new_message' };
  const session = { id: 's1', user: { id: 'ada', name: 'Ada' }, encoding: 'msgpack' as const };
  expect(await read({ session })).toEqual({
    room_id: ROOM,
    epoch,
    messages: [first, { ...second, payload: { bytes } }],
    more: false,
  });
  expect((await read()).messages).toEqual([first, { ...second, payload: { bytes: { $base64: 'AQI=' } } }]);
});

test('leaves out what a service withheld from the user or the session, forged frames and malformed bodies', async () => {
  const { publish, read } = startReader();
  await publish(numbered(1), { excludeUser: 'ada' });
  await publish(numbered(2), { excludeSession: 's1', notifyExcluded: true });
  await publish(jsonCodec.encode({ type: 'room_closed', payload: {} }));
  await publish(Buffer.from('{"type":'));
  await publish(numbered(5), { excludeUser: 'bob' });
  expect((await read()).messages).toMatchObject([{ offset: 5 }]);
});

test('answers for a room without history with an empty page', async () => {
  const { publish, read } = startReader(0);
  await publish(numbered(1));
  expect(await read()).toEqual({ room_id: ROOM, epoch: '', messages: [], more: false });
});
