/** User interfaces on a client: they mount twice, and compare what they read by identity. Fake edge, fake clock. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, outcome, turn } from './support/fake-edge.js';

useFakeClock();

let edge: FakeEdge;

beforeEach(() => {
  edge = new FakeEdge();
});

describe('a component that is mounted, unmounted and mounted again', () => {
  it.each(['never', 'once'])('joins its room when the client had been connected %s', async connected => {
    const client = edge.client();
    if (connected === 'once') {
      void client.connect();
      await edge.accept();
    }
    // Children first: a room joins before its provider connects, and leaves before it closes.
    const mount = () => {
      const room = client.room('general');
      const joined = room.join();
      void client.connect();
      return { room, joined, unmount: () => Promise.all([room.leave(), client.close()]) };
    };
    const first = mount();
    void first.unmount();
    const second = mount();
    const socket = await edge.accept();
    const users = [{ id: 'a', name: 'A' }];
    socket.receive({ type: 'room_info', payload: { room_id: 'general', users, count: 1, version: 1 } });
    expect(await outcome(first.joined)).toEqual({ code: 'UNAVAILABLE' });
    expect(await outcome(second.joined)).toEqual({ value: undefined });
    expect([client.state, second.room.state, second.room.roster.users]).toEqual(['open', 'joined', users]);
  });

  it('waits with join() on a closed client for connect(), and rejects at the next close()', async () => {
    const client = await edge.openClient();
    client.close();
    const room = client.room('general');
    const joined = room.join();
    expect([await outcome(joined), room.state]).toEqual(['pending', 'joining']);
    client.close();
    expect([await outcome(joined), room.state]).toEqual([{ code: 'UNAVAILABLE' }, 'left']);
    await expect(room.send({})).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});

describe('a roster as the snapshot of a store', () => {
  it('is the same array until it changes, and another one after each change', async () => {
    const client = await edge.openClient();
    const room = client.room('general');
    const changed = vi.fn();
    room.roster.onChange(changed);
    const seen: unknown[] = [];
    const read = () => {
      expect(room.roster.users).toBe(room.roster.users);
      expect(client.room('general').roster.users).toBe(room.roster.users);
      seen.push(room.roster.users);
    };
    read();
    await room.join();
    const [a, b] = ['a', 'b'].map(id => ({ id, name: id }));
    for (const frame of [
      { type: 'room_info', payload: { room_id: 'general', users: [a], count: 1, version: 1 } },
      { type: 'user_joined', room: 'general', payload: { user: b, count: 2, version: 2 } },
      { type: 'user_status', room: 'general', payload: { user: { ...b, status: { s: 1 } }, version: 3 } },
      { type: 'user_left', room: 'general', payload: { user: b, count: 1, version: 4 } },
    ]) {
      edge.socket.receive(frame);
      read();
    }
    await room.leave();
    read();
    expect(new Set(seen).size).toBe(5); // Empty before, empty after.
    expect(seen.map(users => (users as unknown[]).length)).toEqual([0, 1, 2, 2, 1, 0]);
    expect(changed).toHaveBeenCalledTimes(5);
  });

  it('is the same empty array for all unused rooms', async () => {
    const client = edge.client();
    expect(client.room('a').roster.users).toBe(client.room('a').roster.users);
    await turn();
  });
});
