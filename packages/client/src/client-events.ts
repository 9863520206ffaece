/** The events of a client, and the names that `client.on` knows. */
import type { Frame, HubbubError } from '@hubbub/protocol';
import type { StateChange } from './connection.js';
import type { Gap, Recovered } from './recovery.js';
import type { Wire } from './wire.js';

/** One frame as the socket carries it, for those who watch. */
export interface FrameTap {
  readonly direction: 'in' | 'out';
  readonly raw: Wire;
  /** Missing when the raw data was not understood. */
  readonly frame?: Frame;
}

/** Events of the client itself. Frames of these names are heard with `onFrame`, or in their room. */
export interface ClientEvents {
  readonly state: StateChange;
  readonly frame: FrameTap;
  /** Messages of a room may be missing; `room.onGap` is the same for one room. */
  readonly gap: Gap;
  /** After a reconnect a room is whole again; `room.onRecovered` is the same for one room. */
  readonly recovered: Recovered;
  /** Something that arrived was ignored, and why: `raw` where it is not a frame, `frame` where its payload is invalid. */
  readonly ignored: { readonly raw?: Wire; readonly frame?: Frame; readonly error: HubbubError };
}

const CLIENT_EVENTS: readonly string[] = [
  'state',
  'frame',
  'ignored',
  'gap',
  'recovered',
] satisfies (keyof ClientEvents)[];

/** Whether `client.on` means an event of the client's own by this name. */
export function isClientEvent(name: string): boolean {
  return CLIENT_EVENTS.includes(name);
}
