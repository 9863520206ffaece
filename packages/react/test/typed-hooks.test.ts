/** Types of the hooks that follow from the events of an application. The compiler checks this file, as part of `npm test`. */
import { HubbubClient, type Payload, type Room } from '@hubbub/client';
import { createElement } from 'react';
import { expect, expectTypeOf, it } from 'vitest';
import { HubbubProvider, type Item, useConnection, useMessages, useRoom, useRoster, useTyping } from '../src/index.js';

// An interface without index signature, as applications write them.
interface ChatMessage {
  readonly content: string;
}

interface Events {
  new_message: ChatMessage;
  'build.finished': { ok: boolean };
}

/** Never called: only its types matter. */
type Uncalled = () => unknown;

const named: Uncalled[] = [
  () => {
    const { room } = useRoom<Events>('general');
    room.on('build.finished', ({ payload }) => expectTypeOf(payload).toEqualTypeOf<{ ok: boolean }>());
    // @ts-expect-error: misspelled
    room.on('build.finnished', () => {});
    // @ts-expect-error: misspelled field
    void room.send({ contents: 'hi' });
  },
  () => {
    const { room } = useRoom<Events>('general');
    const { items, send } = useMessages(room);
    for (const item of items) {
      if (item.kind === 'gap') continue;
      expectTypeOf(item.frame.payload).toEqualTypeOf<ChatMessage>();
      expectTypeOf(item.frame.sender.name).toEqualTypeOf<string>();
      // @ts-expect-error: a field that the payload does not have
      void item.frame.payload.contents;
    }
    expectTypeOf(items).toEqualTypeOf<readonly Item<Events>[]>();
    send({ content: 'hi' });
    // @ts-expect-error: misspelled field
    send({ contents: 'hi' });
    // @ts-expect-error: misspelled type
    useMessages(room, { types: ['build.finnished'] });
  },
  () => {
    const { room } = useRoom<Events>('general');
    const { items } = useMessages(room, { types: ['new_message', 'build.finished'] });
    for (const item of items) {
      if (item.kind === 'gap') continue;
      if (item.frame.type === 'new_message') expectTypeOf(item.frame.payload).toEqualTypeOf<ChatMessage>();
      else expectTypeOf(item.frame.payload).toEqualTypeOf<{ ok: boolean }>();
    }
  },
  () => {
    const { room } = useRoom<Events>('general');
    return [useRoster(room), useTyping(room)];
  },
  () => {
    const { client } = useConnection<Events>();
    client.on('build.finished', ({ payload }) => payload.ok);
    // @ts-expect-error: misspelled
    client.on('build.finnished', () => {});
  },
  () => createElement(HubbubProvider, { client: new HubbubClient<Events>({ url: '/ws' }) }),
  () => {
    const { room } = useRoom<{ moved: { to: string } }, { new_message: { move: string } }>('chess:1');
    room.on('moved', ({ payload }) => payload.to);
    useMessages(room).send({ move: 'e4' });
    // @ts-expect-error: the application does not send it
    useMessages(room).send({ content: 'hi' });
  },
];

const unnamed: Uncalled[] = [
  () => {
    const { room } = useRoom('general');
    expectTypeOf(room).toEqualTypeOf<Room>();
    room.on('anything', ({ payload }) => payload?.x);
    const { items, send } = useMessages(room);
    for (const item of items) if (item.kind === 'message') expectTypeOf(item.frame.payload).toEqualTypeOf<Payload>();
    send({ anything: true });
    useMessages(room, { types: ['anything', 'new_message'] });
  },
];

it('hooks with named events refuse misspelled names and other payloads; without names they take all', () => {
  expect([named.length, unnamed.length]).toEqual([7, 1]);
});
