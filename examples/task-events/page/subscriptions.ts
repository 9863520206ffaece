/** The chats of this page: requested again in every session, because the service adds single sessions. */
import type { HubbubClient, RoomState } from '@hubbub/client';

/** After this long without an answer it is asked again: the service may have been away. */
const REPEAT_MS = 10_000;

export interface SubscriptionPorts {
  /** The session is in the room: what is published from now on arrives. */
  opened(chatId: string): void;
  /** Whether it is heard changed, or cannot be. */
  changed(chatId: string, problem?: string): void;
}

export class Subscriptions {
  readonly #client: HubbubClient;
  readonly #ports: SubscriptionPorts;
  readonly #wanted = new Map<string, ReturnType<typeof setTimeout> | undefined>();
  readonly #watched = new Set<string>();

  constructor(client: HubbubClient, ports: SubscriptionPorts) {
    this.#client = client;
    this.#ports = ports;
    client.on('state', ({ state }) => {
      if (state !== 'open') return;
      for (const chatId of this.#wanted.keys()) if (!this.hears(chatId)) this.#ask(chatId);
    });
    // The service's answer names the chat.
    client.on<string>('error', ({ payload }) => {
      if (payload?.code !== 'FORBIDDEN' || typeof payload.chat_id !== 'string') return;
      this.#ended(payload.chat_id, String(payload.message));
    });
  }

  wants(chatId: string): boolean {
    return this.#wanted.has(chatId);
  }

  hears(chatId: string): boolean {
    return this.#state(chatId) === 'joined';
  }

  subscribe(chatId: string): void {
    if (this.#wanted.has(chatId)) return;
    this.#wanted.set(chatId, undefined);
    this.#watch(chatId);
    this.#ask(chatId);
  }

  /** Resolves when the service has the event. */
  async unsubscribe(chatId: string): Promise<void> {
    this.#forget(chatId);
    this.#ports.changed(chatId);
    await this.#client.sendEvent('unsubscribe.chat', { chat_id: chatId });
  }

  #watch(chatId: string): void {
    if (this.#watched.has(chatId)) return;
    this.#watched.add(chatId);
    this.#client.room(roomOf(chatId)).onStateChange(({ state, error }) => {
      if (state === 'joined') {
        clearTimeout(this.#wanted.get(chatId));
        this.#ports.opened(chatId);
      }
      // Without an error it ended with the session, and is asked for in the next.
      if (state === 'left' && error !== undefined) this.#ended(chatId, 'You were removed from this chat.');
      this.#ports.changed(chatId);
    });
    // The edge's own connection was broken, and rooms without history have nothing to make up for it: the service knows.
    this.#client.room(roomOf(chatId)).onGap(() => this.#ports.opened(chatId));
  }

  #ask(chatId: string): void {
    clearTimeout(this.#wanted.get(chatId));
    if (this.#client.state !== 'open') return; // Asked when it is.
    this.#wanted.set(
      chatId,
      setTimeout(() => this.#wanted.has(chatId) && !this.hears(chatId) && this.#ask(chatId), REPEAT_MS),
    );
    // An unconfirmed request is repeated after a while, or in the next session.
    this.#client.sendEvent('subscribe.chat', { chat_id: chatId }).catch(() => {});
  }

  /** Not by us. */
  #ended(chatId: string, problem: string): void {
    if (!this.#wanted.has(chatId)) return;
    this.#forget(chatId);
    this.#ports.changed(chatId, problem);
  }

  #forget(chatId: string): void {
    clearTimeout(this.#wanted.get(chatId));
    this.#wanted.delete(chatId);
  }

  #state(chatId: string): RoomState {
    return this.#client.room(roomOf(chatId)).state;
  }
}

export function roomOf(chatId: string): string {
  return `chat:${chatId}`;
}
