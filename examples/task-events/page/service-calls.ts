/** The page's HTTP requests to the service, as a signed-in user. */
import type { Sender } from '@hubbub/client';
import { ask } from '../../page/hub.js';
import { keep, kept } from '../../page/kept.js';

export interface SignedIn {
  readonly user: Sender;
  readonly key: string;
}

export interface Message {
  readonly message_id: string;
  readonly author: Sender;
  readonly text: string;
  readonly at: string;
  readonly edited_at?: string;
}

export interface Task {
  readonly task_id: string;
  readonly title: string;
  readonly status: string;
}

export interface ChatContent {
  readonly title: string;
  readonly members: readonly Sender[];
  readonly messages: readonly Message[];
  readonly tasks: readonly Task[];
}

export interface Notification {
  readonly notification_id: string;
  readonly text: string;
  readonly chat_id?: string;
  readonly at: string;
  readonly read?: boolean;
}

export interface WorkspaceContent {
  readonly chats: readonly { readonly chat_id: string; readonly title: string }[];
  readonly notifications: readonly Notification[];
  /** The shell commands before a domain event; empty without Redis. */
  readonly commands: readonly string[];
}

const KEPT = 'task-events:signed-in';

export function keptSignIn(): SignedIn | undefined {
  return kept<SignedIn>(KEPT);
}

export function forgetSignIn(): void {
  keep(KEPT, undefined);
}

/** @throws {Error} with words for people, as everything here */
export async function signIn(name: string): Promise<SignedIn> {
  const signedIn = await ask<SignedIn>('POST', '/api/sign-in', { name });
  keep(KEPT, signedIn);
  return signedIn;
}

export class ServiceCalls {
  readonly user: Sender;
  readonly #headers: Readonly<Record<string, string>>;

  constructor({ user, key }: SignedIn) {
    this.user = user;
    this.#headers = { authorization: `Bearer ${key}` };
  }

  async token(): Promise<string> {
    return (await this.#ask<{ token: string }>('POST', '/api/token', {})).token;
  }

  workspace(): Promise<WorkspaceContent> {
    return this.#ask('GET', '/api/workspace');
  }

  chat(chatId: string): Promise<ChatContent> {
    return this.#ask('GET', `/api/chats/${encodeURIComponent(chatId)}`);
  }

  createChat(title: string, members: readonly string[]): Promise<{ readonly chat_id: string }> {
    return this.#ask('POST', '/api/chats', { title, members });
  }

  async readNotifications(): Promise<void> {
    await this.#ask('POST', '/api/notifications/read', {});
  }

  /** Resolves when the bus has it; what comes of it comes over the connection, here as everywhere. */
  async publish(event: object): Promise<void> {
    await this.#ask('POST', '/api/domain-events', event);
  }

  #ask<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    return ask<Answer>(method, path, body, this.#headers);
  }
}

/** A name for a message or a task. Not crypto.randomUUID: browsers have it on https and localhost only. */
export function newId(kind: string): string {
  const random = Array.from(crypto.getRandomValues(new Uint8Array(6)), byte => byte.toString(16).padStart(2, '0'));
  return `${kind}-${random.join('')}`;
}
