/** Typing in a room: the signal of this user, and a hook that follows the signals of others. */
import type { Room, Sender } from '@hubbub/client';
import { useLayoutEffect, useState } from 'preact/hooks';

/** Often enough for readers, who believe a signal for 6 s, and rarely enough for the room. */
const REPEAT_MS = 3000;
/** A pause this long is an end. */
const IDLE_MS = 4000;
/** The end of typing may be lost with a connection. */
const BELIEVED_MS = 6000;

export interface TypingPorts {
  typing(): void;
  stopTyping(): void;
}

/** Notifies a room that this user types: immediately, again while it continues, and when it ends. */
export class TypingSignal {
  readonly #room: TypingPorts;
  #isTyping = false;
  #sentAtMs = 0;
  #idle: ReturnType<typeof setTimeout> | undefined;

  constructor(room: TypingPorts) {
    this.#room = room;
  }

  /** A key was pressed. */
  typed(): void {
    if (!this.#isTyping || performance.now() - this.#sentAtMs >= REPEAT_MS) {
      this.#room.typing();
      this.#sentAtMs = performance.now();
    }
    this.#isTyping = true;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.stop(), IDLE_MS);
  }

  /** The text was sent or given up, or another room is selected. */
  stop(): void {
    clearTimeout(this.#idle);
    if (this.#isTyping) this.#room.stopTyping();
    this.#isTyping = false;
  }
}

/** The frames by which typing begins and ends; those of chat, if not given. */
export interface TypingFrames {
  readonly begins: string;
  readonly ends: readonly string[];
}

const CHAT_FRAMES: TypingFrames = { begins: 'user_typing', ends: ['user_stopped_typing', 'new_message'] };

/** Follows the other users who type in a room. */
export function useTypists(room: Room, me: Sender, { begins, ends } = CHAT_FRAMES): readonly Sender[] {
  const [typists, setTypists] = useState<readonly Sender[]>([]);
  useLayoutEffect(() => {
    const timers = new Map<string, ReturnType<typeof setTimeout>>();
    const stop = (id: string | undefined): void => {
      if (id === undefined || !timers.has(id)) return;
      clearTimeout(timers.get(id));
      timers.delete(id);
      setTypists(before => before.filter(typist => typist.id !== id));
    };
    const start = (sender: Sender | undefined): void => {
      if (sender === undefined || sender.id === me.id) return;
      if (!timers.has(sender.id)) setTypists(before => [...before, sender]);
      clearTimeout(timers.get(sender.id));
      timers.set(
        sender.id,
        setTimeout(() => stop(sender.id), BELIEVED_MS),
      );
    };
    const stopAll = (): void => [...timers.keys()].forEach(stop);
    const listening = [
      room.on<string>(begins, ({ sender }) => start(sender)),
      ...ends.map(type => room.on<string>(type, ({ sender }) => stop(sender?.id))),
      room.on('user_left', ({ payload: { user } }) => stop(user.id)),
      room.onStateChange(({ state }) => state !== 'joined' && stopAll()),
      stopAll,
    ];
    return () => {
      for (const end of listening) end();
    };
  }, [room]);
  return typists;
}

/** `Ada is typing …`, `Ada and Bob are typing …`, `Ada, Bob and 3 others are typing …`; empty if no user types. */
export function typingWords(typists: readonly Sender[]): string {
  const [first, second, ...others] = typists.map(({ name }) => name);
  if (first === undefined) return '';
  if (second === undefined) return `${first} is typing …`;
  if (others.length === 0) return `${first} and ${second} are typing …`;
  return `${first}, ${second} and ${others.length === 1 ? others[0] : `${others.length} others`} are typing …`;
}
