/** Clients and listeners as resources of `using`. Fake edge, fake clock. */
import { expect, it, vi } from 'vitest';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, turn } from './support/fake-edge.js';

useFakeClock();

it('a client is closed at the end of its block', async () => {
  const edge = new FakeEdge();
  const client = await edge.openClient();
  {
    using closed = client;
    expect(closed.state).toBe('open');
  }
  await turn();
  expect([client.state, vi.getTimerCount()]).toEqual(['closed', 0]);
});

it('a room is left at the end of its block, unless another handle is in it', async () => {
  const edge = new FakeEdge();
  const client = await edge.openClient();
  const other = client.room('general');
  await other.join();
  {
    using room = client.room('general');
    await room.join();
  }
  await turn();
  expect([other.state, edge.socket.sentOfType('leave_room')]).toEqual(['joined', []]);
  {
    using room = other;
    expect(room.state).toBe('joined');
  }
  await turn();
  expect([other.state, edge.socket.sentOfType('leave_room')]).toMatchObject(['left', [{}]]);
});

it('listeners are stopped at the end of their block', async () => {
  const edge = new FakeEdge();
  const client = await edge.openClient();
  const room = client.room('general');
  const heard = vi.fn();
  {
    using _typed = room.on('tick', heard);
    using _any = room.onAny(heard);
    using _client = client.on('tick', heard);
    using _state = room.onStateChange(heard);
    using _roster = room.roster.onChange(heard);
    edge.socket.receive({ type: 'tick', room: 'general' });
  }
  edge.socket.receive({ type: 'tick', room: 'general' });
  await room.join();
  expect(heard).toHaveBeenCalledTimes(3);
});
