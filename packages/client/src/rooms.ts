/** The rooms that somebody uses: those that the client is in or wants to be in, and those with a handle that listens. */
import type { Frame } from '@hubbub/protocol';
import { Emitter, type Unsubscribe } from './emitter.js';
import type { KnownFrames } from './frames.js';
import type { RoomChange } from './membership.js';
import type { Gap, Recovered } from './recovery.js';
import { Roster } from './roster.js';

/** Events of a room that come from the client itself. */
export interface RoomEvents {
  readonly change: RoomChange;
  readonly gap: Gap;
  readonly recovered: Recovered;
}

/** The state that all handles of a room share. */
export class SharedRoom {
  readonly roster = new Roster();
  readonly frames = new Emitter<KnownFrames, Frame>();
  readonly events = new Emitter<RoomEvents, never>();
  /** Handles that joined and did not leave. */
  readonly members = new Set<object>();

  get isIdle(): boolean {
    return this.members.size === 0 && this.frames.isEmpty && this.events.isEmpty && this.roster.isUnheard;
  }

  take(frame: Frame): void {
    this.roster.take(frame);
    this.frames.emit<string>(frame.type, frame);
  }

  changed(change: RoomChange): void {
    if (change.state === 'left') {
      this.roster.clear();
      this.members.clear();
    }
    if (change.state === 'rejoining') this.roster.expectFresh();
    this.events.emit('change', change);
  }
}

export class Rooms {
  readonly #rooms = new Map<string, SharedRoom>();
  readonly #isLeft: (room: string) => boolean;

  constructor(isLeft: (room: string) => boolean) {
    this.#isLeft = isLeft;
  }

  find(name: string | undefined): SharedRoom | undefined {
    return this.#rooms.get(name ?? '');
  }

  /** The room, which stays until `tidy` finds that nobody uses it. */
  use(name: string): SharedRoom {
    const room = this.#rooms.get(name) ?? new SharedRoom();
    this.#rooms.set(name, room);
    return room;
  }

  listen(name: string, subscribe: (room: SharedRoom) => Unsubscribe): Unsubscribe {
    const stop = subscribe(this.use(name));
    return () => {
      stop();
      this.tidy(name);
    };
  }

  changed(name: string, change: RoomChange): void {
    this.use(name).changed(change);
    this.tidy(name);
  }

  /** Forgets the room where it is left and has neither member nor listener. */
  tidy(name: string): void {
    if (this.#isLeft(name) && this.#rooms.get(name)?.isIdle) this.#rooms.delete(name);
  }

  delete(name: string): void {
    this.#rooms.delete(name);
  }
}
