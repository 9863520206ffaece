/** Types that follow from the events that a service names. The compiler checks this file, as part of `npm test`. */
import { expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { connectHubbub, type Hubbub, type Payload, type ServiceEvent } from '../src/index.js';

interface BuildResult {
  readonly ok: boolean;
}

interface Frames {
  'build.finished': BuildResult;
  moved: { to: string };
}

interface ClientEvents {
  move: { to: string };
  resign: { reason?: string };
}

/** Never called: only their types matter. */
const checked: (() => unknown)[] = [];
const options = { group: 'referee' };

it('a service with named events refuses misspelled types and payloads of another shape', () => {
  const connect = (): Hubbub<Frames, ClientEvents> => connectHubbub<Frames, ClientEvents>({ redisUrl: 'redis://a' });
  checked.push(() => {
    const hubbub = connect();
    const result: BuildResult = { ok: true };
    void hubbub.publishToRoom('general', { type: 'build.finished', payload: result, excludeUser: 'u1' });
    void hubbub.publishToAll({ type: 'moved', payload: { to: 'e4' } });
    // @ts-expect-error: misspelled
    void hubbub.publishToRoom('general', { type: 'build.finnished', payload: result });
    // @ts-expect-error: the payload of another type
    void hubbub.publishToUser('u1', { type: 'moved', payload: result });
    // @ts-expect-error: without its payload
    void hubbub.publishToAll({ type: 'moved' });
    hubbub.onEvents('game', options, event => {
      if (event.type === 'move') expectTypeOf(event.payload).toEqualTypeOf<{ to: string }>();
      // @ts-expect-error: misspelled
      if (event.type === 'moves') return;
      expectTypeOf(event.attempt).toEqualTypeOf<number>();
    });
  });
});

it('one call may name its events', () => {
  checked.push(() => {
    const hubbub = connectHubbub({ redisUrl: 'redis://a' });
    void hubbub.publishToRoom<Frames>('general', { type: 'moved', payload: { to: 'e4' } });
    // @ts-expect-error: misspelled
    void hubbub.publishToRoom<Frames>('general', { type: 'move', payload: { to: 'e4' } });
    hubbub.onEvents<ClientEvents>('game', options, event => {
      // @ts-expect-error: misspelled
      if (event.type === 'moved') return;
      if (event.type === 'move') expectTypeOf(event.payload.to).toEqualTypeOf<string>();
    });
  });
});

it('a service without named events takes every type, and payloads that are interfaces', () => {
  checked.push(() => {
    const hubbub = connectHubbub({ redisUrl: 'redis://a' });
    const result: BuildResult = { ok: true };
    void hubbub.publishToRoom('general', { type: 'anything', payload: result });
    // @ts-expect-error: text is not a payload
    void hubbub.publishToRoom('general', { type: 'anything', payload: 'text' });
    hubbub.onEvents('game', options, event => {
      expectTypeOf(event).toEqualTypeOf<ServiceEvent>();
      expectTypeOf(event.payload).toEqualTypeOf<Payload>();
    });
  });
});

it('schemas name the events', () => {
  const schemas = { move: z.object({ to: z.string() }), resign: z.object({ at: z.coerce.date() }) };
  checked.push(() => {
    const hubbub = connectHubbub({ redisUrl: 'redis://a', schemas: { moved: z.object({ to: z.string() }) } });
    void hubbub.publishToRoom('general', { type: 'moved', payload: { to: 'e4' } });
    // @ts-expect-error: misspelled
    void hubbub.publishToRoom('general', { type: 'move', payload: { to: 'e4' } });
    hubbub.onEvents('game', { ...options, schemas }, event => {
      if (event.type === 'resign') expectTypeOf(event.payload.at).toEqualTypeOf<Date>();
      // @ts-expect-error: misspelled
      if (event.type === 'moved') return;
    });
  });
});
