/** The part of a room's history that this client has: the end of the part without holes, and offsets beyond it. Pure. */

/** Offsets between `since` and `before`, both exclusive: what `history` takes. */
export interface Hole {
  readonly since: number;
  readonly before: number;
}

/** Own messages whose echo may still come: far more than are in flight together. */
const MAX_OWN_OFFSETS = 256;

/**
 * The edge answers our own messages with an `ack`, which is not ordered against the messages of others (PROTOCOL.md
 * section 8). So an offset may be known before those below it. A hole below a message is a loss only when none of our own
 * messages can still fill it.
 */
export class RoomPosition {
  /** Unknown until an edge named it. */
  epoch: string | undefined;
  /** Everything up to here is known. */
  #offset: number;
  /** Known beyond a hole. */
  readonly #ahead = new Set<number>();
  /** The highest offset that a frame had. Frames arrive in order, so only an `ack` fills a hole below it. */
  #latest: number;
  /** Known from their `ack` alone. */
  readonly #own = new Set<number>();

  constructor(epoch: string | undefined, offset: number) {
    this.epoch = epoch;
    this.#offset = offset;
    this.#latest = offset;
  }

  get offset(): number {
    return this.#offset;
  }

  knows(offset: number): boolean {
    return offset <= this.#offset || this.#ahead.has(offset);
  }

  /** A frame came with this offset, which was not known. */
  took(offset: number): void {
    this.#latest = Math.max(this.#latest, offset);
    this.#add(offset);
  }

  /** Our own message got this offset. */
  acked(offset: number): void {
    if (this.knows(offset)) return;
    this.#own.add(offset);
    const [oldest] = this.#own;
    if (this.#own.size > MAX_OWN_OFFSETS && oldest !== undefined) this.#own.delete(oldest);
    this.#add(offset);
  }

  /** Whether the frame with this offset is the first copy of a message that only its `ack` reported. */
  takeEcho(offset: number): boolean {
    return this.#own.delete(offset);
  }

  /** Takes the first hole as lost, unless `ownInFlight` messages of ours can fill all holes. */
  closeHole(ownInFlight: number): Hole | undefined {
    if (this.#missing() <= ownInFlight) return undefined;
    const since = this.#offset;
    const before = Math.min(...this.#ahead);
    this.#offset = before - 1;
    this.#advance();
    return { since, before };
  }

  #missing(): number {
    let known = 0;
    for (const offset of this.#ahead) if (offset <= this.#latest) known++;
    return this.#latest - this.#offset - known;
  }

  #add(offset: number): void {
    this.#ahead.add(offset);
    this.#advance();
  }

  #advance(): void {
    while (this.#ahead.delete(this.#offset + 1)) this.#offset++;
  }
}
