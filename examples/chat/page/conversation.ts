/** One room as this page knows it: its messages, where some are missing, and how far the user has read. */
import type { Frame, Gap, Room, Sender, Unsubscribe } from '@hubbub/client';
import { keep, kept, newId, wordsOf } from '../../page/hub.js';
import {
  forgetOutgoing,
  isRepeatable,
  keepOutgoing,
  type Message,
  MessageStore,
  outgoingOf,
  readMessage,
} from './messages.js';

const PAGE_SIZE = 50;
/** Pages that are read to close a gap, or to find a message that somebody answered. */
const PAGES_MAX = 10;

export class Conversation {
  readonly room: Room;
  readonly messages = new MessageStore();
  /** Messages before these offsets are missing, also from the history. */
  readonly holes = new Set<number>();
  /** There are older ones than those shown. */
  hasEarlier = false;
  loading = true;
  /** Why messages could not be loaded. */
  problem: string | undefined;
  /** Why the room could not be entered. */
  refusal: string | undefined;
  /** The text that was begun here, and the message that it answers. */
  draft = '';
  answers: Message | undefined;
  readonly #me: Sender;
  readonly #changed: () => void;
  readonly #stops: Unsubscribe[];
  #epoch = '';
  #readOffset = 0;

  constructor(room: Room, me: Sender, changed: () => void) {
    this.room = room;
    this.#me = me;
    this.#changed = changed;
    this.#stops = [
      room.on('new_message', frame => this.#take([frame])),
      room.roster.onChange(changed),
      room.onGap(gap => void this.#fill(gap)),
      room.onStateChange(({ state }) => {
        if (state === 'joined' && this.problem !== undefined) void this.load();
        changed();
      }),
    ];
  }

  /** Enters the room and shows its last messages. `refusal` holds the reason if that fails. */
  async open(): Promise<void> {
    this.refusal = undefined;
    try {
      await this.room.join();
    } catch (error) {
      this.refusal = wordsOf(error);
      return this.#changed();
    }
    await this.load();
    this.#sendOutgoing();
  }

  async close(): Promise<void> {
    for (const stop of this.#stops) stop();
    await this.room.leave();
  }

  /** Loads the newest page. `problem` holds the reason if that fails. */
  async load(): Promise<void> {
    await this.#loading(async () => {
      const { epoch, messages, more } = await this.room.history({ limit: PAGE_SIZE });
      if (epoch !== this.#epoch) {
        this.messages.remove(({ offset }) => offset !== undefined);
        this.holes.clear();
        const isFirst = this.#epoch === '';
        this.#epoch = epoch;
        // A first visit has nothing to catch up with; after a loss of the history, all of the new one is news.
        this.#readOffset = this.#readUpTo(epoch) ?? (isFirst ? messages.at(-1)?.offset : undefined) ?? 0;
      }
      const first = this.messages.firstOffset;
      this.#take(messages);
      if (first === undefined || first !== this.messages.firstOffset) this.hasEarlier = more;
    });
  }

  /** One page of older messages. */
  async loadEarlier(): Promise<void> {
    const before = this.messages.firstOffset;
    if (before === undefined || this.loading) return;
    await this.#loading(async () => {
      const { messages, more } = await this.room.history({ before, limit: PAGE_SIZE });
      this.#take(messages);
      this.hasEarlier = more && messages.length > 0;
    });
  }

  /** The message of that id, also where it has to be loaded; `undefined` when it is not in the history any more. */
  async find(id: string): Promise<Message | undefined> {
    for (let pages = 0; this.messages.withId(id) === undefined && this.hasEarlier && pages < PAGES_MAX; pages++) {
      await this.loadEarlier();
      if (this.problem !== undefined) break;
    }
    return this.messages.withId(id);
  }

  /** Unread messages of others. */
  get unread(): number {
    return this.messages.list.filter(({ own, offset }) => !own && (offset ?? 0) > this.#readOffset).length;
  }

  /** The first of them. */
  get firstUnread(): Message | undefined {
    return this.messages.list.find(({ own, offset }) => !own && (offset ?? 0) > this.#readOffset);
  }

  markRead(): void {
    const offset = this.messages.lastOffset;
    if (offset === undefined || offset <= this.#readOffset) return;
    this.#readOffset = offset;
    keep(`chat:read:${this.room.name}`, { epoch: this.#epoch, offset });
  }

  send(content: string, replyTo: string | undefined): void {
    const message: Message = {
      ...{ id: newId(), author: this.#me, content, replyTo, own: true, at: new Date() },
      ...{ offset: undefined, delivery: 'sending', problem: undefined },
    };
    this.messages.add(message);
    void this.deliver(message);
  }

  /** Sends a message, or one that failed again: its id is the same, so it appears once. Never rejects. */
  async deliver(message: Message): Promise<void> {
    const { id, content, replyTo, at } = message;
    const room = this.room.name;
    Object.assign(message, { delivery: 'sending', problem: undefined });
    keepOutgoing({ room, id, content, atMs: at.getTime(), ...(replyTo !== undefined && { replyTo }) });
    this.#changed();
    try {
      const payload = { content, ...(replyTo !== undefined && { reply_to: replyTo }) };
      const { offset, timestamp } = await this.room.send(payload, { id });
      forgetOutgoing({ room, id });
      message.offset = offset ?? message.offset;
      message.at = timestamp === undefined ? message.at : new Date(timestamp);
      message.delivery = 'sent';
      this.messages.sort();
    } catch (error) {
      // A replay may have shown meanwhile that the room has it.
      if (message.offset === undefined) {
        message.delivery = 'failed';
        message.problem = wordsOf(error);
      }
    }
    this.#changed();
  }

  discard(message: Message): void {
    forgetOutgoing({ room: this.room.name, id: message.id });
    this.messages.remove(other => other === message);
    this.#changed();
  }

  /** How far this tab has read, also before a reload. */
  #readUpTo(epoch: string): number | undefined {
    const mark = kept<{ readonly epoch: string; readonly offset: number }>(`chat:read:${this.room.name}`);
    return mark?.epoch === epoch ? mark.offset : undefined;
  }

  #take(frames: readonly Frame[]): void {
    for (const frame of frames) {
      const message = readMessage(frame, this.#me);
      if (message.own) forgetOutgoing({ room: this.room.name, id: message.id });
      this.messages.add(message);
    }
    this.#changed();
  }

  /** These were in flight before a reload. */
  #sendOutgoing(): void {
    for (const outgoing of outgoingOf(this.room.name)) {
      const { id, content, replyTo, atMs } = outgoing;
      if (this.messages.withId(id) !== undefined) continue;
      const message: Message = {
        ...{ id, author: this.#me, content, replyTo, own: true, at: new Date(atMs), offset: undefined },
        ...{ delivery: 'failed', problem: 'The page was closed before the answer came: the room may have it already.' },
      };
      this.messages.add(message);
      if (isRepeatable(outgoing)) void this.deliver(message);
    }
    this.#changed();
  }

  async #fill({ since, before, reason }: Gap): Promise<void> {
    if (since === undefined || reason === 'new_epoch') return await this.load();
    await this.#loading(async () => {
      let from = since;
      for (let pages = 0; pages < PAGES_MAX; pages++) {
        const { messages, next } = await this.room.history({ since: from, before });
        const first = messages[0]?.offset ?? before;
        if (first !== undefined && first > from + 1) this.holes.add(first);
        this.#take(messages);
        if (next === undefined) break;
        from = next;
      }
    });
  }

  async #loading(work: () => Promise<void>): Promise<void> {
    this.loading = true;
    this.problem = undefined;
    this.#changed();
    try {
      await work();
    } catch (error) {
      this.problem = wordsOf(error);
    }
    this.loading = false;
    this.#changed();
  }
}
