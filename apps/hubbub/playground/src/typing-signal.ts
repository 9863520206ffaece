/** Notifies a room that the user types: immediately, again while it continues, and when it ends. */

/** Often enough for those who watch (they believe it for 6 s), rarely enough for the room. */
const REPEAT_MS = 3_000;
/** A pause this long is an end. */
const IDLE_MS = 4_000;

export interface TypingPorts {
  typing(): void;
  stopTyping(): void;
}

export class TypingSignal {
  #room: TypingPorts | undefined;
  #toldAtMs = 0;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;

  /** A key was pressed. */
  typed(room: TypingPorts): void {
    const nowMs = performance.now();
    if (this.#room !== undefined && this.#room !== room) this.stop();
    if (this.#room === undefined || nowMs - this.#toldAtMs >= REPEAT_MS) {
      room.typing();
      this.#toldAtMs = nowMs;
    }
    this.#room = room;
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.stop(), IDLE_MS);
  }

  /** The text was sent or given up, or another room is selected. */
  stop(): void {
    clearTimeout(this.#idleTimer);
    this.#room?.stopTyping();
    this.#room = undefined;
  }
}
