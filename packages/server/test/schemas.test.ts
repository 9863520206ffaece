/** Payloads that schemas check: those that a service publishes, and those of client events. In memory. */
import { type BrokerClient, MemoryCluster } from '@hubbub/broker';
import { Channels, decodeEnvelope, type Frame } from '@hubbub/protocol';
import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import { cleanup } from '../../../tests/support/cleanup.js';
import { createHubbub, type EventsOptions, type Hubbub } from '../src/index.js';

const channels = new Channels();
const SESSION = { id: 's.1', node: 'edge-1' };

/** The frames that arrive on a channel. */
async function framesOn(client: BrokerClient, channel: string): Promise<Frame[]> {
  const frames: Frame[] = [];
  client.broker.onEnvelope((from, envelope) => {
    if (from === channel) frames.push(JSON.parse(Buffer.from(decodeEnvelope(envelope)?.body ?? []).toString()));
  });
  await client.broker.subscribe(channel);
  return frames;
}

async function sendEvent(client: BrokerClient, id: string, payload: Record<string, unknown>): Promise<void> {
  const event = {
    ...{ type: 'move', room: 'game:1', id, payload, user: { id: 'u1', name: 'One' } },
    ...{ session: SESSION, rooms: ['game:1'], atMs: Date.now() },
  };
  await client.events.append({ namespace: 'game', event, idempotencyKey: id, maxLength: 100, ttlMs: 60_000 });
}

test('a publish with an invalid payload rejects with its path, and nothing is sent; a valid one goes out as it was given', async () => {
  const client = new MemoryCluster().open();
  const moved = z.object({ to: z.string(), at: z.coerce.date().optional() });
  const hubbub = createHubbub(client, { schemas: { moved } });
  const frames = await framesOn(client, channels.room('game:1'));
  const invalid = { type: 'moved', payload: { to: 7 } };
  for (const publishing of [
    hubbub.publishToRoom('game:1', invalid),
    hubbub.publishToUser('u1', invalid),
    hubbub.publishToAll(invalid),
    hubbub.publishToSession(SESSION, invalid),
  ]) {
    const message = expect.stringMatching(/^payload\.to of moved: /);
    await expect(publishing).rejects.toMatchObject({ code: 'INVALID_PAYLOAD', message });
  }
  await hubbub.publishToRoom('game:1', { type: 'moved', payload: { to: 'e4', at: '2026-01-31' } });
  await hubbub.publishToRoom('game:1', { type: 'other', payload: { to: 7 } });
  await expect.poll(() => frames.map(({ payload }) => payload)).toEqual([{ to: 'e4', at: '2026-01-31' }, { to: 7 }]);
});

test('a client event with an invalid payload is answered and not handled; the next event of its room is', async () => {
  const client = new MemoryCluster().open();
  const hubbub = createHubbub(client);
  cleanup(() => hubbub.close());
  const answers = await framesOn(client, channels.node(SESSION.node));
  await sendEvent(client, 'm1', { to: 7 });
  await sendEvent(client, 'm2', { to: 'e4', more: true });
  const onError = vi.fn<NonNullable<EventsOptions['onError']>>();
  const handled: unknown[] = [];
  const schemas = { move: z.object({ to: z.string() }) };
  hubbub.onEvents('game', { group: 'referee', onError, schemas }, ({ id, payload }) => handled.push([id, payload]));
  await expect.poll(() => handled).toEqual([['m2', { to: 'e4' }]]);
  expect(answers).toMatchObject([
    {
      type: 'error',
      id: 'm1',
      payload: { code: 'INVALID_PAYLOAD', message: expect.stringMatching(/^payload\.to of move: /) },
    },
  ]);
  expect(onError.mock.calls.map(([error, entry]) => [(error as Error).name, entry?.event.id])).toEqual([
    ['HubbubError', 'm1'],
  ]);
});

test('`await using` closes a service and its consumers', async () => {
  const client = new MemoryCluster().open();
  const handled: string[] = [];
  let closed: Hubbub | undefined;
  {
    await using hubbub = createHubbub(client);
    await using consumer = hubbub.onEvents('game', { group: 'referee' }, ({ id }) => handled.push(id));
    await sendEvent(client, 'm1', {});
    await expect.poll(() => handled).toEqual(['m1']);
    expect(consumer.leading).toBe(true);
    closed = hubbub;
  }
  await expect(closed.publishToAll({ type: 'a' })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await sendEvent(client, 'm2', {});
  const again = createHubbub(client);
  cleanup(() => again.close());
  const next: string[] = [];
  again.onEvents('game', { group: 'referee' }, ({ id }) => next.push(id));
  await expect.poll(() => next).toEqual(['m2']);
  expect(handled).toEqual(['m1']);
});
