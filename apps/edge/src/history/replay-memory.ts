/** Bounds what the replay windows of an edge hold together: beyond it the least recently used window is dropped. */

export interface Droppable {
  drop(): void;
}

/** The part of it that one room may take, so that a room never drops its own window. */
const ROOM_SHARE = 1 / 4;

export class ReplayMemory {
  readonly #maxBytes: number;
  readonly #onDrop: () => void;
  /** The least recently used one first. */
  readonly #windows = new Set<Droppable>();
  #bytes = 0;

  constructor(maxBytes: number, onDrop: () => void = () => {}) {
    this.#maxBytes = maxBytes;
    this.#onDrop = onDrop;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get maxBytesPerRoom(): number {
    return this.#maxBytes * ROOM_SHARE;
  }

  /** The window is in use now, and holds `bytes` more than before. */
  use(window: Droppable, bytes: number): void {
    this.#windows.delete(window);
    this.#windows.add(window);
    this.resize(bytes);
  }

  resize(bytes: number): void {
    this.#bytes += bytes;
    while (this.#bytes > this.#maxBytes && this.#windows.size > 1) {
      const [oldest] = this.#windows;
      oldest?.drop();
      this.#onDrop();
    }
  }

  /** The window was dropped; it held `bytes`. */
  release(window: Droppable, bytes: number): void {
    if (this.#windows.delete(window)) this.#bytes -= bytes;
  }
}
