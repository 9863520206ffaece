/** Calls and answers at a bad moment: from a listener, after the session, after `close()`. Fake edge, fake clock. */
import { beforeEach, expect, it, vi } from 'vitest';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, outcome, turn, willing } from './support/fake-edge.js';

useFakeClock({ random: 1 });

let edge: FakeEdge;

beforeEach(() => {
  edge = new FakeEdge();
});

const tokenOf = (index: number): string => edge.sockets[index]?.request.protocols[1]?.replace('bearer.', '') ?? '';

/** A token that expires at `exp`; its signature is not verified here. */
const life = (exp: number) => `h.${Buffer.from(JSON.stringify({ exp })).toString('base64url')}.s`;

it('opens no session with a token that was requested before close()', async () => {
  edge.lifeMs = 100_000;
  let give: (token: string) => void = () => {};
  const token = vi.fn<() => string | Promise<string>>(() => life(100));
  const client = await edge.openClient({ token });
  token.mockReturnValueOnce(new Promise(resolve => (give = resolve)));
  await vi.advanceTimersByTimeAsync(90_001);
  expect(token).toHaveBeenCalledTimes(2);
  client.close();
  give(life(200));
  await turn();
  token.mockReturnValue(life(300));
  void client.connect();
  await edge.accept();
  expect(tokenOf(1)).toBe(life(300));
});

it('opens no session after close() with a token that the last session did not get', async () => {
  edge.lifeMs = 100_000;
  const token = vi.fn(() => life(100));
  const client = await edge.openClient({ token });
  edge.answer = (frame, socket) => void (frame.type === 'refresh' || willing(frame, socket));
  token.mockReturnValue(life(200));
  await vi.advanceTimersByTimeAsync(80_001);
  expect(edge.socket.sentOfType('refresh')).toHaveLength(1);
  client.close();
  token.mockReturnValue(life(300));
  edge.answer = willing;
  void client.connect();
  await edge.accept();
  expect(tokenOf(1)).toBe(life(300));
});

it('tries a refused join for 30 s in each session, whatever an earlier one refused', async () => {
  const client = await edge.openClient({ maxDelayMs: 100 });
  edge.answer = ({ id = '' }, socket) =>
    void socket.receive({ type: 'error', id, payload: { code: 'RATE_LIMITED', message: '' } });
  const joined = client.room('general').join();
  await vi.advanceTimersByTimeAsync(1_000);
  edge.socket.end(1006);
  await vi.advanceTimersByTimeAsync(40_000);
  await edge.accept();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await outcome(joined)).toBe('pending');
  client.close();
});

it('sends nothing that waited when a listener of frames closes the client, and leaves no timer', async () => {
  const client = edge.client();
  void client.connect();
  const sent = [1, 2, 3].map(n => client.sendEvent('move', { n }));
  for (const promise of sent) promise.catch(() => {});
  client.on('frame', ({ direction }) => direction === 'out' && client.close());
  edge.answer = () => {};
  await edge.accept();
  expect(await Promise.all(sent.map(outcome))).toEqual([
    { code: 'OUTCOME_UNKNOWN' },
    { code: 'UNAVAILABLE' },
    { code: 'UNAVAILABLE' },
  ]);
  expect(vi.getTimerCount()).toBe(0);
});

it('keeps the order when a listener of frames sends while the queue is sent', async () => {
  const client = edge.client();
  void client.connect();
  for (const n of [1, 2, 3]) void client.sendEvent('move', { n });
  const off = client.on('frame', ({ direction, frame }) => {
    if (direction !== 'out' || frame?.type !== 'move') return;
    off();
    void client.sendEvent('move', { n: 4 });
  });
  const socket = await edge.accept();
  expect(socket.sentOfType('move').map(({ payload }) => payload?.n)).toEqual([1, 2, 3, 4]);
});

it('connects and joins from a listener of the end', async () => {
  const client = await edge.openClient();
  const room = client.room('general');
  await room.join();
  let again: Promise<unknown> = Promise.resolve();
  room.onStateChange(({ state }) => {
    if (state === 'left') again = Promise.all([client.connect(), room.join()]);
  });
  client.close();
  again.catch(() => {});
  await edge.accept();
  expect(await outcome(again)).toEqual({ value: [undefined, undefined] });
  expect([client.state, room.state]).toEqual(['open', 'joined']);
});

it('sends no join frame when a listener of frames closes the client', async () => {
  const client = await edge.openClient();
  client.on('frame', ({ frame }) => frame?.type === 'room_opened' && client.close());
  edge.socket.receive({ type: 'room_opened', payload: { room_id: 'vip' } });
  expect([client.state, client.room('vip').state]).toEqual(['closed', 'left']);
});

it('does not mistake the token of an abandoned attempt for that of the session', async () => {
  edge.lifeMs = 100_000;
  let give: (token: string) => void = () => {};
  const token = vi.fn<() => string | Promise<string>>(() => new Promise(resolve => (give = resolve)));
  const client = edge.client({ token, connectTimeoutMs: 1_000, maxDelayMs: 1 });
  void client.connect();
  await vi.advanceTimersByTimeAsync(1_000);
  token.mockReturnValue(life(100));
  await vi.advanceTimersByTimeAsync(10);
  await edge.accept();
  give(life(200));
  await turn();
  token.mockReturnValue(life(200));
  await vi.advanceTimersByTimeAsync(90_001);
  expect(edge.socket.sentOfType('refresh')).toHaveLength(1);
});
