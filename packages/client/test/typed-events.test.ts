/** Types that follow from the events that an application names. The compiler checks this file, as part of `npm test`. */
import { expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { type AnyEvents, type Frame, HubbubClient, type MessageFrame, type Payload, type Room } from '../src/index.js';
import { framesOf } from '../src/room-frames.js';
import { payloadSchemas } from '../src/schemas.js';

// An interface without index signature, as applications write them.
interface ChatMessage {
  readonly content: string;
}

interface Events {
  new_message: ChatMessage;
  'build.finished': { ok: boolean };
  move: { to: string };
  ping_all: { loud?: boolean };
}

/** Never called: only its types matter. */
type Uncalled = () => unknown;
const url = 'ws://edge.test/ws';
const checked: Uncalled[] = [];

it('a client with named events refuses misspelled names and payloads of another shape', () => {
  const client = new HubbubClient<Events>({ url });
  const room = client.room('general');
  checked.push(
    () => room.on('build.finished', ({ payload }) => expectTypeOf(payload).toEqualTypeOf<{ ok: boolean }>()),
    // @ts-expect-error: misspelled
    () => room.on('build.finnished', () => {}),
    // @ts-expect-error: misspelled
    () => client.on('build.finnished', () => {}),
    // @ts-expect-error: misspelled
    () => client.onFrame('build.finnished', () => {}),
    // @ts-expect-error: misspelled
    () => room.on('new_mesage', () => {}),
    // @ts-expect-error: a field that the payload does not have
    () => room.on('build.finished', ({ payload }) => payload.okay),
    () => room.send({ content: 'hi' }),
    // @ts-expect-error: misspelled field
    () => room.send({ contents: 'hi' }),
    () => room.sendEvent('move', { to: 'e4' }, { id: 'm1' }),
    () => client.sendEvent('move', { to: 'e4' }),
    // @ts-expect-error: misspelled
    () => room.sendEvent('moved', { to: 'e4' }),
    // @ts-expect-error: misspelled
    () => client.sendEvent('moved', { to: 'e4' }),
    // @ts-expect-error: another shape
    () => room.sendEvent('move', { to: 4 }),
    // @ts-expect-error: a payload that is required
    () => room.sendEvent('move'),
    () => room.sendEvent('ping_all'),
  );
  expect(checked).toHaveLength(15);
});

it('a message always has a payload, a sender, a room and a time', () => {
  const typed = new HubbubClient<Events>({ url });
  const untyped = new HubbubClient({ url });
  checked.push(
    () =>
      typed.room('general').on('new_message', frame => {
        expectTypeOf(frame).toEqualTypeOf<MessageFrame<ChatMessage>>();
        expectTypeOf(frame.payload.content).toEqualTypeOf<string>();
        expectTypeOf(frame.sender.name).toEqualTypeOf<string>();
      }),
    () =>
      untyped.room('general').on('new_message', frame => {
        expectTypeOf(frame.payload).toEqualTypeOf<Payload>();
        expectTypeOf(frame.sender.name).toEqualTypeOf<string>();
      }),
  );
});

it('the frames of Hubbub keep their types beside named events', () => {
  const client = new HubbubClient<Events>({ url });
  checked.push(
    () => client.room('general').on('user_joined', ({ payload }) => payload.user.name),
    () => client.on('state', ({ delayMs }) => delayMs),
    () => client.on('gap', ({ since }) => since),
  );
});

it('a client without named events takes every name, and payloads that are interfaces', () => {
  const client = new HubbubClient({ url });
  const room = client.room('general');
  const message: ChatMessage = { content: 'hi' };
  checked.push(
    () => room.on('anything', frame => expectTypeOf(frame).toEqualTypeOf<Frame>()),
    () => client.on('anything.else', ({ payload }) => payload?.x),
    () => room.send(message),
    () => room.sendEvent('move', message),
    () => room.sendEvent('move'),
    // @ts-expect-error: text is not a payload
    () => room.send('hi'),
  );
});

it('a client with named events is a client, and the reverse', () => {
  const takesAny = (client: HubbubClient, room: Room): unknown => [client, room];
  const takesTyped = (client: HubbubClient<Events>): unknown => client;
  const client = new HubbubClient<Events>({ url });
  checked.push(
    () => takesAny(client, client.room('general')),
    () => takesTyped(new HubbubClient<AnyEvents>({ url })),
  );
});

it('an application may name the events that it sends apart from those that arrive', () => {
  const client = new HubbubClient<{ moved: { to: string } }, { move: { to: string } }>({ url });
  checked.push(
    () => client.on('moved', ({ payload }) => payload.to),
    () => client.sendEvent('move', { to: 'e4' }),
    // @ts-expect-error: the application does not send it
    () => client.sendEvent('moved', { to: 'e4' }),
    // @ts-expect-error: it does not arrive
    () => client.on('move', () => {}),
  );
});

it('the type of a frame decides its payload in a loop, and in a page of the history', () => {
  const room = new HubbubClient<Events>({ url }).room('general');
  checked.push(async () => {
    for await (const frame of framesOf(room)) {
      if (frame.type === 'new_message') expectTypeOf(frame.payload.content).toEqualTypeOf<string>();
      if (frame.type === 'build.finished') expectTypeOf(frame.payload.ok).toEqualTypeOf<boolean>();
    }
    for (const frame of (await room.history()).messages) {
      if (frame.type === 'new_message') expectTypeOf(frame.payload.content).toEqualTypeOf<string>();
    }
  });
});

it('schemas name the events: listeners get their output, senders give their input', () => {
  const check = payloadSchemas({
    new_message: z.object({ at: z.string().transform(text => new Date(text)) }),
    'build.finished': z.object({ ok: z.boolean() }),
  });
  const client = new HubbubClient({ url, check });
  const room = client.room('general');
  checked.push(
    () => room.on('new_message', ({ payload }) => expectTypeOf(payload.at).toEqualTypeOf<Date>()),
    () => room.send({ at: '2026-01-31T12:00:00.000Z' }),
    // @ts-expect-error: the output is not the input
    () => room.send({ at: new Date() }),
    // @ts-expect-error: misspelled
    () => room.on('build.finnished', () => {}),
  );
});
