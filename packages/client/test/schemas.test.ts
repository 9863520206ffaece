/** Payloads that schemas check: on the way out, on arrival, and in pages of the history. Fake edge, fake clock. */
import type { StandardSchema } from '@hubbub/protocol';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { payloadSchemas } from '../src/schemas.js';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, outcome } from './support/fake-edge.js';
import { historic, message } from './support/general-room.js';

useFakeClock();

let edge: FakeEdge;

beforeEach(() => {
  edge = new FakeEdge();
});

const check = payloadSchemas({
  new_message: z.object({ content: z.string(), at: z.coerce.date().optional() }),
  move: z.object({ to: z.string() }),
  'build.finished': z.object({ steps: z.array(z.object({ ok: z.boolean() })) }),
});

async function enter() {
  const client = await edge.openClient({ check } as object);
  edge.answer = historic(10);
  const room = client.room('general');
  const ignored = vi.fn();
  client.on('ignored', ignored);
  await room.join();
  return { client, room, ignored };
}

describe('a payload that arrives', () => {
  it('reaches listeners as the output of its schema', async () => {
    const { room, ignored } = await enter();
    const heard = vi.fn();
    room.on('new_message', ({ payload }) => heard(payload));
    edge.socket.receive(message(11, { payload: { content: 'hi', at: '2026-01-31T12:00:00.000Z', more: 1 } }));
    expect(heard.mock.calls).toEqual([[{ content: 'hi', at: new Date('2026-01-31T12:00:00.000Z') }]]);
    expect(ignored).not.toHaveBeenCalled();
  });

  it('reaches no listener if it is invalid, and is reported with its path; later messages are whole', async () => {
    const { client, room, ignored } = await enter();
    const heard: unknown[] = [];
    room.on('new_message', ({ offset }) => heard.push(offset));
    room.onGap(gap => heard.push(gap));
    room.on('build.finished', () => heard.push('build'));
    client.on('new_message', ({ offset }) => heard.push(`all ${offset}`));
    edge.socket.receive(message(11, { payload: { content: 7 } })).receive(message(12, { payload: { content: 'hi' } }));
    edge.socket.receive({ type: 'build.finished', room: 'general', payload: { steps: [{ ok: true }, { ok: 1 }] } });
    expect(heard).toEqual([12, 'all 12']);
    expect(
      ignored.mock.calls.map(([{ frame, error }]) => [frame.type, frame.offset, error.code, error.message]),
    ).toEqual([
      ['new_message', 11, 'INVALID_PAYLOAD', expect.stringMatching(/^payload\.content of new_message: /)],
      [
        'build.finished',
        undefined,
        'INVALID_PAYLOAD',
        expect.stringMatching(/^payload\.steps\.1\.ok of build\.finished: /),
      ],
    ]);
  });

  it('is left out of a page of the history if it is invalid, and reported', async () => {
    const { room, ignored } = await enter();
    edge.answer = ({ id = '' }, socket) => {
      const messages = [message(9, { payload: { content: 9 } }), message(10, { payload: { content: 'ten' } })];
      socket.receive({ type: 'history', id, room: 'general', payload: { room_id: 'general', epoch: 'e1', messages } });
    };
    const page = await room.history();
    expect(page.messages.map(({ offset }) => offset)).toEqual([10]);
    expect(ignored).toHaveBeenCalledTimes(1);
  });

  it.each<[string, StandardSchema['~standard']['validate'], RegExp]>([
    ['is asynchronous', async value => ({ value }), /The schema of tick is asynchronous/],
    [
      'throws',
      () => {
        throw new Error('a bug');
      },
      /a bug/,
    ],
  ])('is reported where its schema %s', async (_, validate, text) => {
    const schema: StandardSchema = { '~standard': { version: 1, vendor: 'test', validate } };
    const client = await edge.openClient({ check: payloadSchemas({ tick: schema }) } as object);
    const ignored = vi.fn();
    client.on('ignored', ignored);
    edge.socket.receive({ type: 'tick', payload: {} });
    expect(ignored.mock.calls[0]?.[0].error).toMatchObject({ message: expect.stringMatching(text) });
    expect(client.state).toBe('open');
  });

  it('is not checked by the names of properties that every object has', async () => {
    const { client } = await enter();
    const heard = vi.fn();
    client.on('constructor', heard);
    edge.socket.receive({ type: 'constructor', payload: {} });
    expect(heard).toHaveBeenCalledTimes(1);
  });
});

describe('a payload that is sent', () => {
  it('rejects with INVALID_PAYLOAD and is not sent if it is invalid', async () => {
    const { client, room } = await enter();
    edge.socket.sent.length = 0;
    for (const sending of [room.send({ content: 1 }), room.sendEvent('move', { to: 1 }), client.sendEvent('move')]) {
      expect(await outcome(sending)).toEqual({ code: 'INVALID_PAYLOAD' });
    }
    expect(edge.socket.sent).toEqual([]);
  });

  it('goes out as it was given', async () => {
    const { room } = await enter();
    const payload = { content: 'hi', at: '2026-01-31T12:00:00.000Z' };
    await room.send(payload);
    expect(edge.socket.sentOfType('send_message')[0]?.payload).toEqual(payload);
  });
});
