/** A room's history as an edge keeps it, in memory: positions, replay, and idempotent ids. */
import type { Frame } from '@hubbub/protocol';

export interface NamedPosition {
  readonly room_id: string;
  readonly epoch?: string;
  readonly offset?: number;
}

export class RoomLog {
  readonly epoch = 'e1';
  readonly #frames: Frame[] = [];

  get offset(): number {
    return this.#frames.length;
  }

  /** The frame with its offset; `isNew` is false for a known id. */
  append(frame: Frame): { readonly frame: Frame; readonly isNew: boolean } {
    const known = this.#frames.find(({ id }) => id === frame.id);
    if (known !== undefined) return { frame: known, isNew: false };
    const placed = { ...frame, offset: this.offset + 1 };
    this.#frames.push(placed);
    return { frame: placed, isNew: true };
  }

  /** The messages after a position, and the room's entry in the `ack`. */
  recover({ room_id, epoch, offset }: NamedPosition): { readonly missing: readonly Frame[]; readonly answer: object } {
    const now = { room_id, epoch: this.epoch, offset: this.offset };
    if (epoch === undefined || offset === undefined) return { missing: [], answer: now };
    if (epoch !== this.epoch) return { missing: [], answer: { ...now, recovered: false, reason: 'new_epoch' } };
    return { missing: this.#frames.slice(offset), answer: { ...now, recovered: true } };
  }
}
