/** Applications and their connection, against a fake edge and a fake clock. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FrameTap } from '../src/index.js';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, outcome, silent, turn, willing } from './support/fake-edge.js';

useFakeClock();

let edge: FakeEdge;

beforeEach(() => {
  edge = new FakeEdge();
});

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('connecting', () => {
  it('offers its encoding and its token as subprotocols, and shows its states in order', async () => {
    const client = edge.client({ url: 'http://edge.test/ws' });
    const states: string[] = [];
    client.on('state', ({ state }) => states.push(state));
    const opened = client.connect();
    await edge.accept();
    expect(edge.socket.request).toEqual({ url: 'ws://edge.test/ws', protocols: ['hubbub.v1.json', 'bearer.a.b.c'] });
    expect(states).toEqual(['connecting', 'opening', 'restoring', 'open']);
    expect(await outcome(opened)).toEqual({ value: undefined });
    expect(client.session).toMatchObject({ id: 's1', user: { id: 'u1', name: 'One' } });
  });

  it('reconnects immediately when the browser is online again, and checks a connection when it goes offline', async () => {
    const listeners = new Map<string, (event: Event) => void>();
    const add = (type: string, listener: (event: Event) => void) => listeners.set(type, listener);
    vi.stubGlobal('addEventListener', add);
    vi.stubGlobal('removeEventListener', (type: string) => listeners.delete(type));
    const client = await edge.openClient();
    edge.answer = silent;
    listeners.get('offline')?.(new Event('offline'));
    expect(edge.socket.sentOfType('ping')).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(client.state).toBe('waiting');
    listeners.get('online')?.(new Event('online'));
    expect(client.state).toBe('connecting');
    client.close();
    expect(listeners.size).toBe(0);
  });

  it('connects immediately when connect() is called while it waits', async () => {
    const client = await edge.openClient();
    edge.socket.end(1006);
    void client.connect();
    await turn();
    expect(edge.sockets).toHaveLength(2);
  });

  it('may be closed in any state listener', async () => {
    for (const at of ['connecting', 'opening', 'restoring', 'open', 'waiting']) {
      const client = edge.client();
      client.on('state', ({ state }) => {
        if (state === at) client.close();
      });
      void client.connect();
      await turn();
      if (edge.sockets.length > 0) await edge.accept();
      if (at === 'waiting') edge.socket.end(1006);
      await turn();
      expect([at, client.state, vi.getTimerCount()]).toEqual([at, 'closed', 0]);
    }
  });

  it('causes no unhandled rejection when connect() and join() are not awaited', async () => {
    const client = edge.client();
    void client.connect();
    void client.room('general').join();
    client.close();
    await turn();
    expect(client.state).toBe('closed');
    await expect(client.room('general').send({})).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});

describe('watching', () => {
  it('shows every raw frame, in both directions', async () => {
    const client = edge.client();
    const taps: FrameTap[] = [];
    client.on('frame', tap => taps.push(tap));
    void client.connect();
    await edge.accept();
    client.room('general').typing();
    expect(taps.map(({ direction, frame }) => [direction, frame?.type])).toEqual([
      ['in', 'welcome'],
      ['out', 'typing'],
    ]);
    expect(taps[1]?.raw).toBe('{"type":"typing","room":"general"}');
  });

  it('hears frames of any type, also those named like its own events', async () => {
    const client = await edge.openClient();
    const heard = vi.fn();
    client.on('build.finished', heard);
    client.onFrame('state', heard);
    edge.answer = willing;
    edge.socket.receive({ type: 'build.finished', payload: { ok: true } }).receive({ type: 'state', payload: {} });
    expect(heard.mock.calls.map(([frame]) => frame.type)).toEqual(['build.finished', 'state']);
  });
});
