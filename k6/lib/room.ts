/** A room of a virtual user: one talker, and members on all edges that must read every message of the talker. */
import type { Encoding } from './codec.js';
import { Member, type MemberOptions } from './member.js';
import * as metrics from './metrics.js';
import { edgeUrls, processNumber, run } from './settings.js';
import { sleep } from './time.js';

const RETRY_MS = 250;
/** The `message_id` makes it safe to retry a message of unknown outcome. */
const RETRIED: readonly unknown[] = ['UNAVAILABLE', 'OUTCOME_UNKNOWN'];
const SETTLE_WITHIN_MS = 10_000;
const LOOK_AGAIN_MS = 50;
const GIVE_UP_INTERVAL_MS = 5000;

export interface RoomOptions {
  /** Members, including the talker. */
  readonly size: number;
  readonly namespace?: string;
  /** Every n-th member uses MessagePack; 0: no member. */
  readonly msgpackEvery: number;
  readonly joinsBy: MemberOptions['joinsBy'];
  readonly reconnects?: boolean;
  readonly tags?: () => Readonly<Record<string, string>>;
  /** Additional length of each message. */
  readonly paddingBytes?: number;
  /** Number of edges that talkers may use, because the others may be killed. Default: all. */
  readonly talkerEdges?: number;
}

export class Room {
  readonly members: readonly Member[];
  readonly #talker: Member;
  readonly #padding: string;
  #sent = 0;

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
        reconnects: options.reconnects ?? false,
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

  /** Sends `perSecond` messages a second until then (milliseconds since 1970). */
  async talk(until: number, perSecond: number): Promise<void> {
    const start = Date.now() + Math.random() * (1000 / perSecond); // Rooms do not send in step.
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

  /** Sends the next message, and retries if the edge could not accept it. Resolves after the `ack` or the final failure. */
  async say(): Promise<void> {
    const talker = this.#talker;
    const id = talker.newId();
    const frame = {
      type: 'send_message',
      room: talker.options.room,
      id,
      message_id: id,
      payload: { n: ++this.#sent, t: Date.now(), ...(this.#padding !== '' && { padding: this.#padding }) },
    };
    metrics.messagesSent.add(1);
    while (talker.session?.isOpen) {
      const answer = await talker.session.ask(frame);
      if (answer?.type === 'ack') return metrics.ackMs.add(Date.now() - frame.payload.t);
      if (!RETRIED.includes(answer?.payload?.code)) return; // The session counts the error, and listeners the loss.
      await sleep(RETRY_MS);
    }
  }

  /** Waits until every listener has every message, and counts the missing ones. */
  async settle(): Promise<void> {
    const deadline = Date.now() + SETTLE_WITHIN_MS;
    // A listener without a message since a reported loss has no expected number.
    const behind = (): Member[] => this.listeners.filter(member => member.isCounting && !member.hasAllUpTo(this.#sent));
    while (behind().length > 0 && Date.now() < deadline) await sleep(LOOK_AGAIN_MS);
    for (const member of behind()) {
      metrics.messagesLost.add(Math.max(this.#sent - member.last, 0));
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
