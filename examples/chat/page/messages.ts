/** The messages of one room as the page knows them: in order, each with its delivery; those in flight survive a reload. */
import type { Frame, Sender } from '@hubbub/client';
import { keep, kept } from '../../page/hub.js';

export interface Message {
  /** Chosen by the author's page; unique among the author's messages. */
  readonly id: string;
  readonly author: Sender;
  readonly content: string;
  /** The `id` of the message that this one answers. */
  readonly replyTo: string | undefined;
  readonly own: boolean;
  at: Date;
  /** Its position in the room's history; `undefined` until the hub has accepted it. */
  offset: number | undefined;
  delivery: 'sent' | 'sending' | 'failed';
  /** Why it failed, in words for people. */
  problem: string | undefined;
}

export function keyOf({ author, id }: Pick<Message, 'author' | 'id'>): string {
  return `${author.id}/${id}`;
}

/** Reads a frame. Its payload may be anything: other values than text are shown as JSON. */
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

/** Ordered by position in the history; messages without one are last. */
export class MessageStore {
  readonly #byKey = new Map<string, Message>();
  #list: Message[] = [];

  get list(): readonly Message[] {
    return this.#list;
  }

  get firstOffset(): number | undefined {
    return this.#list.find(({ offset }) => offset !== undefined)?.offset;
  }

  get lastOffset(): number | undefined {
    return this.#list.findLast(({ offset }) => offset !== undefined)?.offset;
  }

  /** The newest message of that id: authors choose ids by themselves. */
  withId(id: string): Message | undefined {
    return this.#list.findLast(message => message.id === id);
  }

  /** A known message only learns its position. */
  add(message: Message): void {
    const known = this.#byKey.get(keyOf(message));
    if (known === undefined) {
      this.#byKey.set(keyOf(message), message);
      this.#list.push(message);
    } else if (message.offset !== undefined) {
      Object.assign(known, { offset: message.offset, at: message.at, delivery: 'sent', problem: undefined });
    }
    this.sort();
  }

  remove(unwanted: (message: Message) => boolean): void {
    for (const message of this.#list.filter(unwanted)) this.#byKey.delete(keyOf(message));
    this.#list = this.#list.filter(message => !unwanted(message));
  }

  /** After a message learned its position. */
  sort(): void {
    const place = ({ offset }: Message): number => offset ?? Number.MAX_SAFE_INTEGER;
    this.#list.sort((a, b) => place(a) - place(b) || +a.at - +b.at);
  }
}

/** A message in flight: kept by the tab, so that a reload does not lose it. */
export interface Outgoing {
  readonly room: string;
  readonly id: string;
  readonly content: string;
  readonly replyTo?: string;
  /** When it was written, in milliseconds since 1970. */
  readonly atMs: number;
}

const OUTBOX = 'chat:outbox';
/** The hub recognizes an id for 5 minutes: within that time, a repeated message is not doubled. */
const REPEATABLE_MS = 4 * 60_000;

export function outgoingOf(room: string): readonly Outgoing[] {
  return allOutgoing().filter(message => message.room === room);
}

export function keepOutgoing(message: Outgoing): void {
  forgetOutgoing(message);
  keep(OUTBOX, [...allOutgoing(), message]);
}

export function forgetOutgoing({ room, id }: Pick<Outgoing, 'room' | 'id'>): void {
  const others = allOutgoing().filter(message => message.room !== room || message.id !== id);
  keep(OUTBOX, others);
}

export function isRepeatable({ atMs }: Outgoing): boolean {
  return Date.now() - atMs < REPEATABLE_MS;
}

function allOutgoing(): readonly Outgoing[] {
  return kept<readonly Outgoing[]>(OUTBOX) ?? [];
}
