/** Clients of the SDK on server-sent events from their first attempt on, with streams that a test writes. */
import { eventAddress } from '../../src/event-address.js';
import type { ClientOptions, HubbubClient } from '../../src/index.js';
import { EventTransport } from '../../src/transport-events.js';
import { FakeEdge } from './fake-edge.js';
import { type FakeEvents, type FakeStream, settle } from './fake-events.js';

/** A client whose stream has its welcome. */
export async function openClient(events: FakeEvents, options: Partial<ClientOptions> = {}): Promise<HubbubClient> {
  const client = new FakeEdge().client({
    openTransport(request, listener) {
      const address = eventAddress(request.url);
      if (!address) throw new Error(`no events at ${request.url}`);
      return new EventTransport(request, address, listener, { encoding: 'json' });
    },
    ...options,
  });
  void client.connect();
  await settle();
  await events.stream.welcome();
  return client;
}

/** Joins rooms with a history at offset 10. Returns their stream. */
export async function join(events: FakeEvents, client: HubbubClient, ...rooms: string[]): Promise<FakeStream> {
  const joined = Promise.all(rooms.map(room => client.room(room).join()));
  await settle();
  const { stream } = events;
  await stream.welcome();
  for (const room of rooms) await stream.frame(openedAt(room, 10));
  await joined;
  return stream;
}

export function openedAt(room: string, offset: number, more: object = {}) {
  return { type: 'room_opened', room, payload: { room_id: room, epoch: 'e1', offset, ...more } };
}

export function message(room: string, more: object) {
  return { type: 'new_message', room, sender: { id: 'b', name: 'B' }, payload: {}, ...more };
}

/** Gaps and messages, in order. */
export function hear(client: HubbubClient): unknown[] {
  const heard: unknown[] = [];
  client.on('gap', ({ room, reason, since, before }) => heard.push([room, reason, since, before]));
  client.on('session_gap', () => heard.push('session_gap'));
  client.on('new_message', ({ room, offset, id }) => heard.push([room, offset ?? id]));
  return heard;
}
