/** One message as the page knows it, and how it is read from a frame. */
import type { Frame, Sender } from '@hubbub/client';

export interface Message {
  /** Chosen by the author's page; unique among the author's messages. */
  readonly id: string;
  readonly author: Sender;
  readonly content: string;
  /** The `id` of the message that this one answers. */
  readonly replyTo: string | undefined;
  readonly own: boolean;
  at: Date;
  /** Its place in the room's history; `undefined` until the hub has taken it. */
  offset: number | undefined;
  delivery: 'sent' | 'sending' | 'failed';
  /** Why it failed, in words for people. */
  problem: string | undefined;
}

export function keyOf({ author, id }: Pick<Message, 'author' | 'id'>): string {
  return `${author.id}/${id}`;
}

/** Anybody may send any payload: what is not text is shown as it is. */
export function readMessage({ id, sender, payload, timestamp, offset }: Frame, me: Sender): Message {
  const author = sender ?? { id: '', name: 'A service' };
  const { content, reply_to } = payload ?? {};
  const at = new Date(timestamp ?? Date.now());
  return {
    id: id ?? `at-${offset ?? at.toISOString()}`,
    author,
    content: typeof content === 'string' ? content : JSON.stringify(payload ?? {}),
    replyTo: typeof reply_to === 'string' ? reply_to : undefined,
    own: author.id === me.id,
    at,
    offset,
    delivery: 'sent',
    problem: undefined,
  };
}

/** A name for a new message. Not crypto.randomUUID: browsers have it on https and localhost only. */
export function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), byte => byte.toString(16).padStart(2, '0')).join('');
}
