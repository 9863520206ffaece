/** Rooms that were visited and left cost nothing: counted as entries of all maps and sets that the client made. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { HubbubClient } from '../src/index.js';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, turn } from './support/fake-edge.js';
import { historic, message } from './support/general-room.js';

useFakeClock();

const ROOMS = 200;

let containers: WeakRef<{ readonly size: number }>[];
let edge: FakeEdge;

beforeEach(() => {
  containers = [];
  vi.stubGlobal('Map', countingKind(Map));
  vi.stubGlobal('Set', countingKind(Set));
  edge = new FakeEdge();
});

afterEach(() => vi.unstubAllGlobals());

/** The class, with every instance made from now on in `containers`. */
function countingKind<Kind extends new (...args: never[]) => { readonly size: number }>(Base: Kind): Kind {
  // The constructor of a mixin takes what the base class takes.
  return class extends (Base as unknown as new (...args: unknown[]) => { readonly size: number }) {
    constructor(...args: unknown[]) {
      super(...args);
      containers.push(new WeakRef(this));
    }
  } as unknown as Kind;
}

/** Entries in all of them. Those that nothing refers to any more may count too: they are emptied before they are dropped. */
const entries = (): number => containers.reduce((sum, container) => sum + (container.deref()?.size ?? 0), 0);

async function visit(client: HubbubClient, name: string): Promise<void> {
  const room = client.room(name);
  const stops = [
    room.on('new_message', () => {}),
    room.onStateChange(() => {}),
    room.onGap(() => {}),
    room.roster.onChange(() => {}),
  ];
  await room.join();
  edge.socket.receive({ type: 'room_info', payload: { room_id: name, users: [], count: 0, version: 1 } });
  edge.socket.receive(message(11, { room: name }));
  void room.send({}).catch(() => {});
  await turn();
  for (const stop of stops) stop();
  await room.leave();
  // Late frames of a room that was left must not bring it back.
  edge.socket.receive(message(12, { room: name }));
  edge.socket.receive({ type: 'room_gap', payload: { room_id: name, reason: 'no_history' } });
  edge.socket.receive({ type: 'room_count', payload: { room_id: name, count: 1, version: 2 } });
}

it('a visited room leaves nothing behind', async () => {
  const client = await edge.openClient();
  edge.answer = historic(10);
  await visit(client, 'first');
  const before = entries();
  for (let n = 0; n < ROOMS; n++) await visit(client, `room-${n}`);
  expect(entries() - before).toBe(0);
});

it('rooms that are only read, refused, or closed by a service leave nothing behind', async () => {
  const client = await edge.openClient();
  const round = async (n: number): Promise<void> => {
    const room = client.room(`room-${n}`);
    expect([room.state, room.roster.count]).toEqual(['left', 0]);
    edge.answer = ({ id = '' }, socket) => void socket.receive({ type: 'error', id, payload: { code: 'FORBIDDEN' } });
    await room.join().catch(() => {});
    edge.socket.receive({ type: 'room_opened', payload: { room_id: room.name, epoch: 'e1', offset: 3 } });
    edge.socket.receive({ type: 'room_closed', payload: { room_id: room.name } });
    await client.removeRoom(room.name);
  };
  await round(0);
  const before = entries();
  for (let n = 1; n <= ROOMS; n++) await round(n);
  expect(entries() - before).toBe(0);
});

it('rooms that were left while there was no session are forgotten when one begins', async () => {
  const client = edge.client();
  const before = entries();
  for (let n = 0; n < ROOMS; n++) {
    const room = client.room(`room-${n}`);
    void room.join();
    void room.leave();
  }
  void client.connect();
  await edge.accept();
  expect(entries() - before).toBeLessThan(ROOMS / 10);
});

it('a room stays while a handle listens, and its handles still hear when it is joined again', async () => {
  const client = await edge.openClient();
  const room = client.room('general');
  const heard = vi.fn();
  room.on('new_message', heard);
  for (let n = 0; n < 3; n++) {
    await client.room('general').join();
    await client.removeRoom('other');
    edge.socket.receive({ type: 'new_message', room: 'general', sender: { id: 'b', name: 'B' }, payload: {} });
    edge.socket.receive({ type: 'room_closed', payload: { room_id: 'general' } });
  }
  expect(heard).toHaveBeenCalledTimes(3);
});
