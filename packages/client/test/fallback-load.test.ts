/** A client whose code for server-sent events does not load: a deployment may have removed the chunk. */
import { expect, it, vi } from 'vitest';
import { fallBackToEvents } from '../src/fallback.js';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, turn } from './support/fake-edge.js';
import { settle } from './support/fake-events.js';

vi.mock('../src/transport-events.js', () => {
  throw new Error('404');
});

useFakeClock();

it('tries WebSockets further', async () => {
  const edge = new FakeEdge();
  const openTransport = fallBackToEvents(edge.openTransport, { encoding: 'json' }, { connectTimeoutMs: 8_000 });
  const client = edge.client({ openTransport, connectTimeoutMs: 60_000 });
  void client.connect();
  await turn();
  for (const delayMs of [1_000, 2_000]) {
    edge.socket.end(1006);
    await vi.advanceTimersByTimeAsync(delayMs);
  }
  while (client.state === 'connecting') await settle();
  expect([client.state, edge.sockets.length]).toEqual(['waiting', 2]);
  await vi.advanceTimersByTimeAsync(4_000);
  edge.socket.open().welcome();
  await turn();
  expect([client.state, client.transport]).toEqual(['open', 'websocket']);
});
