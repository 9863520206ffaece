/** A client of a fake edge that falls back to fake event streams. A test file that imports it gets new ones for each test. */
import { afterEach, beforeEach, expect, vi } from 'vitest';
import { fallBackToEvents } from '../../src/fallback.js';
import type { ClientOptions, HubbubClient } from '../../src/index.js';
import { useFakeClock } from './fake-clock.js';
import { FakeEdge, turn } from './fake-edge.js';
import { FakeEvents, settle } from './fake-events.js';

useFakeClock();

export let edge: FakeEdge;
export let events: FakeEvents;

beforeEach(async () => {
  await import('../../src/transport-events.js');
  edge = new FakeEdge();
  events = new FakeEvents();
});
afterEach(() => vi.unstubAllGlobals());

export function connect(options: Partial<ClientOptions> = {}): HubbubClient {
  const openTransport = fallBackToEvents(edge.openTransport, { encoding: 'json' }, { connectTimeoutMs: 8_000 });
  // Longer than every delay between attempts.
  const client = edge.client({ openTransport, connectTimeoutMs: 60_000, ...options });
  void client.connect();
  return client;
}

/** Lets the next attempt begin: the delays of the first ones are 0.5, 1, 2 and 4 s. */
export async function nextAttempt(): Promise<void> {
  await vi.advanceTimersByTimeAsync(4_000);
  await settle();
}

/** A client on events, after two blocked attempts. */
export async function connectByEvents(options: Partial<ClientOptions> = {}): Promise<HubbubClient> {
  const client = connect(options);
  await turn();
  edge.socket.end(1006);
  await vi.advanceTimersByTimeAsync(1_000);
  edge.socket.end(1006);
  await vi.advanceTimersByTimeAsync(2_000);
  await settle();
  await useEvents();
  return client;
}

/** Events work, and the WebSocket that the client then tries does not. */
export async function useEvents(): Promise<void> {
  const before = edge.sockets.length;
  await events.stream.welcome();
  expect(edge.sockets).toHaveLength(before + 1);
  edge.socket.end(1006);
}
