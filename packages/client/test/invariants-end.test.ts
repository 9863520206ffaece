/** Invariants of README.md that concern the end: closed is closed. Fake edge, fake clock. */
import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, outcome, silent, turn, watchStates, willing } from './support/fake-edge.js';

useFakeClock();

let edge: FakeEdge;

beforeEach(() => {
  edge = new FakeEdge();
});

describe('invariant 4: closed is closed', () => {
  it.each([1000, 1007, 1009, 4200, 4201, 4202])('stays closed after %i', async code => {
    const client = await edge.openClient();
    const changes = watchStates(client);
    edge.socket.end(code);
    await vi.advanceTimersByTimeAsync(100_000);
    expect(changes).toMatchObject([{ state: 'closed', closeCode: code, error: { name: 'HubbubError' } }]);
    expect(edge.sockets).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves no timer, socket or promise behind, whatever happened before', async () => {
    const operations = fc.constantFrom(
      ...['connect', 'close', 'join', 'leave', 'send', 'ping', 'typing', 'open', 'welcome', 'drop', 'kick', 'drain'],
      ...['answer', 'silence', 'nonsense', 'second', 'minute'],
    );
    await fc.assert(
      fc.asyncProperty(fc.array(operations, { maxLength: 40 }), async story => {
        edge = new FakeEdge();
        const client = edge.client();
        const room = client.room('general');
        const changes = watchStates(client);
        const promises: Promise<unknown>[] = [];
        const keep = (promise: Promise<unknown>): void => void promises.push(promise.catch(() => {}));
        for (const operation of story) {
          const socket = edge.sockets.at(-1);
          if (operation === 'connect') keep(client.connect());
          if (operation === 'close') client.close();
          if (operation === 'join') keep(room.join());
          if (operation === 'leave') keep(room.leave());
          if (operation === 'send') keep(room.send({}));
          if (operation === 'ping') keep(client.ping());
          if (operation === 'typing') room.typing();
          if (operation === 'open') socket?.open();
          if (operation === 'welcome') socket?.welcome();
          if (operation === 'drop') socket?.end(1006);
          if (operation === 'kick') socket?.end(4200);
          if (operation === 'drain') socket?.receive({ type: 'reconnect', payload: { delay_ms: 700 } });
          if (operation === 'answer') edge.answer = willing;
          if (operation === 'silence') edge.answer = silent;
          if (operation === 'nonsense') socket?.receiveRaw('{');
          await vi.advanceTimersByTimeAsync(operation === 'second' ? 1_000 : operation === 'minute' ? 60_000 : 0);
          const alive = edge.sockets.filter(socket => socket.closedWith === undefined && !socket.ended);
          expect(alive.length).toBeLessThanOrEqual(1);
        }
        client.close();
        await turn();
        expect(client.state).toBe('closed');
        expect(vi.getTimerCount()).toBe(0);
        expect(room.state).toBe('left');
        expect(await outcome(Promise.all(promises))).not.toBe('pending');
        for (const [at, change] of changes.entries()) if (at > 0) expect(change.previous).toBe(changes[at - 1]?.state);
      }),
      { numRuns: 150 },
    );
  });

  it('starts again with connect(), without its old rooms', async () => {
    const client = await edge.openClient();
    await client.room('general').join();
    client.close();
    void client.connect();
    const socket = await edge.accept();
    expect(client.state).toBe('open');
    expect(socket.sent).toEqual([]);
  });
});
