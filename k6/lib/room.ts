/** A room of a virtual user: one talker, and members spread over the edges that must read everything it says. */
import type { Encoding } from './codec.js';
import { Member, type MemberOptions } from './member.js';
import * as metrics from './metrics.js';
import { edgeUrls, processNumber, run } from './settings.js';
import { sleep } from './time.js';

const RETRY_MS = 250;
/** With its `message_id` a message of unknown outcome may be sent again. */
const RETRIED: readonly unknown[] = ['UNAVAILABLE', 'OUTCOME_UNKNOWN'];
const SETTLE_WITHIN_MS = 10_000;
const LOOK_AGAIN_MS = 50;
const GIVE_UP_INTERVAL_MS = 5000;

export interface RoomOptions {
  /** Members, the talker among them. */
  readonly size: number;
  readonly namespace?: string;
  /** One in so many members speaks MessagePack; 0: nobody. */
  readonly msgpackEvery: number;
  readonly joinsBy: MemberOptions['joinsBy'];
  readonly comesBack?: boolean;
  readonly tags?: () => Readonly<Record<string, string>>;
  /** Makes a message this much longer. */
  readonly paddingBytes?: number;
  /** Edges that the talker may be at; the others may be killed. Default: all. */
  readonly talkerEdges?: number;
}

export class Room {
  readonly members: readonly Member[];
  readonly #talker: Member;
  readonly #padding: string;
  #said = 0;

  /** @param name unique within the virtual user */
  constructor(virtualUser: number, name: number, options: RoomOptions) {
    const { size, namespace = 'load', talkerEdges = edgeUrls.length, paddingBytes = 0 } = options;
    const place = `${run}-${processNumber}-${virtualUser}-${name}`;
    const room = `${namespace}:${place}`;
    const member = (index: number): Member =>
      new Member({
        room,
        user: `${place}-${index}`,
        encoding: encodingOf(index, options.msgpackEvery),
        edge: index === 0 ? (virtualUser + name) % talkerEdges : virtualUser + name + index,
        joinsBy: options.joinsBy,
        comesBack: options.comesBack ?? false,
        fromTheStart: true,
        ...(options.tags !== undefined && { tags: options.tags }),
      });
    this.#talker = member(0);
    this.members = [this.#talker, ...Array.from({ length: size - 1 }, (_, index) => member(index + 1))];
    this.#padding = 'x'.repeat(paddingBytes);
  }

  get listeners(): readonly Member[] {
    return this.members.slice(1);
  }

  /** Says `perSecond` messages a second until then (milliseconds since 1970). */
  async talk(until: number, perSecond: number): Promise<void> {
    const start = Date.now() + Math.random() * (1000 / perSecond); // Rooms do not talk in step.
    let looked = Date.now();
    for (let number = 0; ; number++) {
      const at = start + (number * 1000) / perSecond;
      if (at >= until) return;
      await sleep(at - Date.now());
      void this.say();
      if (Date.now() - looked < GIVE_UP_INTERVAL_MS) continue;
      looked = Date.now();
      for (const member of this.listeners) member.giveUp();
    }
  }

  /** Says the next message, again where the edge answers that it could not take it. Resolves when it is taken, or cannot be. */
  async say(): Promise<void> {
    const talker = this.#talker;
    const id = talker.newId();
    const frame = {
      type: 'send_message',
      room: talker.options.room,
      id,
      message_id: id,
      payload: { n: ++this.#said, t: Date.now(), ...(this.#padding !== '' && { padding: this.#padding }) },
    };
    metrics.messagesSent.add(1);
    while (talker.session?.isOpen) {
      const answer = await talker.session.ask(frame);
      if (answer?.type === 'ack') return metrics.ackMs.add(Date.now() - frame.payload.t);
      if (!RETRIED.includes(answer?.payload?.code)) return; // Counted as an error; whoever misses it says so.
      await sleep(RETRY_MS);
    }
  }

  /** Waits until everybody has everything, and counts what did not come. */
  async settle(): Promise<void> {
    const deadline = Date.now() + SETTLE_WITHIN_MS;
    // Who was told that something is missing, and has read nothing since, can miss nothing.
    const behind = (): Member[] => this.listeners.filter(member => member.isCounting && !member.hasAllUpTo(this.#said));
    while (behind().length > 0 && Date.now() < deadline) await sleep(LOOK_AGAIN_MS);
    for (const member of behind()) {
      metrics.messagesLost.add(Math.max(this.#said - member.last, 0));
      member.giveUp(true);
    }
  }

  close(): void {
    for (const member of this.members) member.leave();
  }
}

function encodingOf(index: number, msgpackEvery: number): Encoding {
  return msgpackEvery > 0 && index % msgpackEvery === msgpackEvery - 1 ? 'msgpack' : 'json';
}
