/// <reference lib="esnext.disposable" preserve="true" />
/** Loops over the frames of a room. An entry of its own (`@hubbub/client/frames`): clients without loops do not carry it. */
import { HubbubError } from '@hubbub/protocol';
import type { RoomFrame } from './event-types.js';
import type { Room } from './room.js';

export interface FramesOptions {
  /** Frames that may wait for a slow loop. One more ends the loop with an error. Default 1,000. */
  readonly maxWaiting?: number;
  /** Ends the loop with the signal's `reason` when it aborts. */
  readonly signal?: AbortSignal;
}

/**
 * The frames of a room that arrive from now on, of every type, as listeners of `on` get them.
 *
 * The loop ends when the room is left, and throws if that was for another reason than `leave()`. Frames that wait are given to
 * the loop before. `break` stops listening; the client stays in the room.
 * @throws {HubbubError} the error of `onStateChange`; `UNAVAILABLE` when more than `maxWaiting` frames waited: later ones are missing
 * @example
 * for await (const frame of framesOf(room)) if (frame.type === 'new_message') await store(frame.payload);
 */
export function framesOf<Events, Sent>(
  room: Room<Events, Sent>,
  { maxWaiting = 1_000, signal }: FramesOptions = {},
): AsyncGenerator<RoomFrame<Events>, void> {
  const frames: RoomFrame<Events>[] = [];
  /** Set when no further frame comes. */
  let end: { readonly error?: unknown } | undefined;
  let wake = (): void => {};
  const finish = (how: { readonly error?: unknown }): void => {
    for (const stop of stops) stop();
    end ??= how;
    wake();
  };
  const abort = (): void => finish({ error: signal?.reason });
  const stops = [
    room.onAny(frame => {
      if (frames.length < maxWaiting) frames.push(frame);
      else finish({ error: overflow(room.name, maxWaiting) });
      wake();
    }),
    room.onStateChange(({ state, error }) => state === 'left' && finish({ ...(error && { error }) })),
    () => signal?.removeEventListener('abort', abort),
  ];
  signal?.addEventListener('abort', abort);
  if (signal?.aborted) abort();
  return (async function* loop() {
    try {
      for (;;) {
        for (let frame = frames.shift(); frame !== undefined; frame = frames.shift()) yield frame;
        if (end?.error !== undefined) throw end.error;
        if (end) return;
        await new Promise<void>(resolve => {
          wake = resolve;
        });
      }
    } finally {
      finish({});
    }
  })();
}

function overflow(room: string, maxWaiting: number): HubbubError {
  return new HubbubError(
    'UNAVAILABLE',
    `The loop over room ${room} is too slow: more than ${maxWaiting} frames waited. Read the history, and loop again.`,
  );
}
