/** The backlog of one slow reader in conflating rooms: the newest frame per room and key, and every frame without a key. */

export class Backlog<Room extends object> {
  /** Rooms that put frames aside here. */
  readonly rooms = new Set<Room>();
  /** In the order of the last update. */
  readonly #waiting = new Map<string | number, { readonly room: Room; readonly bytes: Uint8Array }>();
  readonly #roomNumbers = new Map<Room, number>();
  #numbers = 0;
  #bytes = 0;

  get size(): number {
    return this.#waiting.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Returns whether an older frame of the key gave way. A frame without a key replaces nothing. */
  put(room: Room, key: string | undefined, bytes: Uint8Array): boolean {
    const name = key === undefined ? this.#numbers++ : this.#nameOf(room, key);
    const replaced = this.#delete(name); // Behind the others, and not in the old one's place.
    this.#waiting.set(name, { room, bytes });
    this.#bytes += bytes.length;
    return replaced;
  }

  /** Returns whether a frame waited under the key. */
  drop(room: Room, key: string): boolean {
    return this.#delete(this.#nameOf(room, key));
  }

  *frames(): Iterable<Uint8Array> {
    for (const { bytes } of this.#waiting.values()) yield bytes;
  }

  leave(room: Room): void {
    for (const [name, waiting] of this.#waiting) if (waiting.room === room) this.#delete(name);
    this.#roomNumbers.delete(room);
    this.rooms.delete(room);
  }

  #delete(name: string | number): boolean {
    const waiting = this.#waiting.get(name);
    if (waiting === undefined) return false;
    this.#bytes -= waiting.bytes.length;
    return this.#waiting.delete(name);
  }

  #nameOf(room: Room, key: string): string {
    let number = this.#roomNumbers.get(room);
    if (number === undefined) {
      number = this.#numbers++;
      this.#roomNumbers.set(room, number);
    }
    return `${number} ${key}`;
  }
}
