/** Values that a client takes from the `welcome`: the pace of reconnects and pings, and the edge's features. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, turn, watchStates } from './support/fake-edge.js';

useFakeClock({ random: 1 });

const PROPOSAL = { ping_interval_ms: 3_000, backoff: { base_ms: 50, cap_ms: 120 } };

let edge: FakeEdge;

beforeEach(() => {
  edge = new FakeEdge();
});

/** A client with these options that had one session with this proposal, and then four failed attempts. */
async function delaysAfterLoss(options: object, proposal: object): Promise<unknown[]> {
  const client = edge.client({ connectTimeoutMs: 100_000, ...options });
  const changes = watchStates(client);
  void client.connect();
  await edge.accept([], proposal);
  for (let attempt = 0; attempt < 4; attempt++) {
    edge.socket.end(1006);
    await vi.advanceTimersByTimeAsync(30_000);
  }
  return changes.filter(({ state }) => state === 'waiting').map(({ delayMs }) => delayMs);
}

/** The time of the first ping, in milliseconds after the `welcome`. */
async function firstPingMs(options: object, proposal: object): Promise<number> {
  const client = edge.client(options);
  void client.connect();
  await edge.accept([], proposal);
  for (let ms = 500; ms <= 60_000; ms += 500) {
    await vi.advanceTimersByTimeAsync(500);
    if (edge.socket.sentOfType('ping').length > 0) return ms;
  }
  return Number.POSITIVE_INFINITY;
}

describe('the pace that an edge proposes', () => {
  it('sets the delays before reconnects', async () => {
    expect(await delaysAfterLoss({}, PROPOSAL)).toEqual([50, 100, 120, 120]);
  });

  it('sets the interval of pings', async () => {
    expect(await firstPingMs({}, PROPOSAL)).toBe(3_000);
  });

  it("yields to the application's options", async () => {
    expect(await delaysAfterLoss({ baseDelayMs: 10, maxDelayMs: 30 }, PROPOSAL)).toEqual([10, 20, 30, 30]);
    expect(await firstPingMs({ heartbeatIntervalMs: 7_000 }, PROPOSAL)).toBe(7_000);
  });

  it.each([
    ['nothing', {}],
    ['no numbers', { ping_interval_ms: '3000', backoff: { base_ms: null, cap_ms: {} } }],
    ['numbers that no timer takes', { ping_interval_ms: 0, backoff: { base_ms: -1, cap_ms: 2 ** 31 } }],
    ['another shape', { ping_interval_ms: [], backoff: 7 }],
  ])('is the default where the edge proposes %s', async (_, proposal) => {
    expect(await delaysAfterLoss({}, proposal)).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(await firstPingMs({}, proposal)).toBe(25_000);
  });

  it('is that of the newest session', async () => {
    const client = edge.client();
    const changes = watchStates(client);
    void client.connect();
    await edge.accept([], PROPOSAL);
    edge.socket.end(1006);
    await vi.advanceTimersByTimeAsync(50);
    await edge.accept([], { backoff: { base_ms: 400, cap_ms: 500 } });
    await vi.advanceTimersByTimeAsync(5_000);
    edge.socket.end(1006);
    expect(changes.at(-1)).toMatchObject({ state: 'waiting', delayMs: 400 });
  });
});

describe('the session', () => {
  it('has the features of its edge, or an empty list', async () => {
    const client = edge.client();
    void client.connect();
    await edge.accept([], { features: ['resume', 'errors_close'] });
    expect(client.session?.features).toEqual(['resume', 'errors_close']);
    edge.socket.end(1006);
    await vi.advanceTimersByTimeAsync(1_000);
    await edge.accept();
    await turn();
    expect(client.session?.features).toEqual([]);
  });
});
