/** Notifies a room that this user types: immediately, again while it continues, and when it ends. */

/** Often enough for those who watch (they believe it for 6 s), rarely enough for the room. */
const REPEAT_MS = 3000;
/** A pause this long is an end. */
const IDLE_MS = 4000;

export interface TypingPorts {
  typing(): void;
  stopTyping(): void;
}

export class TypingSignal {
  #room: TypingPorts | undefined;
  #toldAtMs = 0;
  #idle: ReturnType<typeof setTimeout> | undefined;

  /** A key was pressed. */
  typed(room: TypingPorts): void {
    if (this.#room !== room) this.stop();
    if (this.#room === undefined || performance.now() - this.#toldAtMs >= REPEAT_MS) {
      room.typing();
      this.#toldAtMs = performance.now();
    }
    this.#room = room;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.stop(), IDLE_MS);
  }

  /** The text was sent or given up, or another room is selected. */
  stop(): void {
    clearTimeout(this.#idle);
    this.#room?.stopTyping();
    this.#room = undefined;
  }
}
