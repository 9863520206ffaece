/** The resume dialogue on a real server with a history in memory: breaks at the worst moments, and nothing lost or doubled. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ClientOptions, type Gap, HubbubClient } from '../src/index.js';
import { msgpackCodec } from '../src/msgpack.js';
import { WsEdge } from './support/ws-edge.js';

const MESSAGES = 300;
/** After this many messages all connections break, before the message is answered or passed on. */
const BREAK_EVERY = 17;

let edge: WsEdge;
let clients: HubbubClient[];

beforeEach(async () => {
  edge = await WsEdge.start({ history: true });
  clients = [];
});

afterEach(async () => {
  for (const client of clients) client.close();
  await edge.stop();
});

async function enter(
  rooms: readonly string[],
  options: Partial<ClientOptions> = {},
): Promise<{ client: HubbubClient; heard: Map<string, unknown[]>; gaps: Gap[] }> {
  const client = new HubbubClient({ url: edge.url, token: 'a.b.c', baseDelayMs: 5, maxDelayMs: 20, ...options });
  clients.push(client);
  const gaps: Gap[] = [];
  client.on('gap', gap => gaps.push(gap));
  const heard = new Map<string, unknown[]>();
  await client.connect();
  for (const name of rooms) {
    const list: unknown[] = [];
    heard.set(name, list);
    client.room(name).on('new_message', ({ payload }) => list.push(payload?.n));
    await client.room(name).join();
  }
  return { client, heard, gaps };
}

describe.each([
  ['JSON', {}],
  ['MessagePack', { codec: msgpackCodec }],
])('with %s', (_name, options) => {
  it('every client has every message once and in order, however often the connections break', async () => {
    const rooms = ['red', 'green', 'blue'];
    const sender = await enter(rooms, options);
    const listeners = [await enter(rooms, options), await enter(rooms, options)];
    let appended = 0;
    edge.onAppended = () => {
      if (++appended % BREAK_EVERY === 0) edge.cut();
    };
    const receipts = [];
    for (let n = 0; n < MESSAGES; n++) {
      receipts.push(await sender.client.room(rooms[n % rooms.length] ?? '').send({ n }));
    }
    const expected = new Map(rooms.map((room, at) => [room, numbers().filter(n => n % rooms.length === at)]));
    for (const { heard, gaps } of listeners) {
      await vi.waitFor(() => expect(heard).toEqual(expected), { timeout: 20_000 });
      expect(gaps).toEqual([]);
    }
    expect([...sender.heard.values()]).toEqual([[], [], []]);
    expect(sender.gaps).toEqual([]);
    expect(receipts.map(({ offset }) => offset)).toEqual(numbers().map(n => Math.floor(n / rooms.length) + 1));
    expect(appended).toBe(MESSAGES);
  });
});

it('sends many messages simultaneously through breaks, each once', async () => {
  const sender = await enter(['general'], { offlineQueueSize: MESSAGES });
  const listener = await enter(['general']);
  let appended = 0;
  edge.onAppended = () => {
    if (++appended % BREAK_EVERY === 0) edge.cut();
  };
  const sent = await Promise.all(numbers().map(n => sender.client.room('general').send({ n })));
  expect(new Set(sent.map(({ offset }) => offset)).size).toBe(MESSAGES);
  await vi.waitFor(() => expect(listener.heard.get('general')).toEqual(numbers()), { timeout: 20_000 });
});

function numbers(): number[] {
  return Array.from({ length: MESSAGES }, (_, n) => n);
}
