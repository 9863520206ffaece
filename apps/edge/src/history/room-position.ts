/**
 * How far a room with history was delivered on this edge, and the messages behind a hole. Pure: it decides
 * what is to be delivered and what is to be read, others do it.
 */
import { locate } from '@hubbub/broker';
import type { GapReason, Position } from '@hubbub/protocol';

/** A range of lost messages: the room continues after `position`. */
export interface Gap {
  readonly reason: GapReason;
  /** The position after which the room continues; unset without a history. */
  readonly position?: Position;
}

/** The messages behind the requested position, oldest first. Messages missing between them are lost. */
export interface Reading<Message> extends Position {
  readonly messages: readonly Message[];
  /** The history was read up to here: an offset without a message is a hole. */
  readonly through: number;
  /** As in `HistoryPage`. */
  readonly bridges: readonly Position[];
}

/** The room continues in another epoch, and nothing is missing. */
export interface Crossing {
  readonly previousEpoch: string;
  readonly position: Position;
}

export type Step<Message> =
  | { readonly gap: Gap; readonly message?: never; readonly crossing?: never }
  | { readonly crossing: Crossing; readonly message?: never; readonly gap?: never }
  | { readonly message: Message; readonly gap?: never; readonly crossing?: never };

/** Live messages that may wait for a read. Messages that do not fit are dropped, and read from the history later. */
export const WAITING_MESSAGES_MAX = 256;

const NONE: readonly never[] = [];

/**
 * `unknown` until the first read, `following` while every message is the next one, `behind` while something is missing or
 * may be. Unless it follows, live messages wait, and reads move the position: one at a time, `beginRead` then `learn`.
 */
export class RoomPosition<Message extends Position> {
  #state: 'unknown' | 'following' | 'behind' = 'unknown';
  #position: Position = { epoch: '', offset: 0 };
  #bridges: readonly Position[] = NONE;
  /** The highest offset of this epoch that was acknowledged to a sender here. */
  #acknowledged = 0;
  /** Messages that came before the pending read began: if their epoch differs from the read's, it is an older one. */
  #early: readonly Message[] = NONE;
  /** Came since. Made when first needed: in most rooms nothing ever waits. */
  #late: Message[] | undefined;
  /** Something was missed, or dropped from memory, that the pending read may lack. */
  #readAgain = false;
  readonly #waitingMax: number;

  constructor(waitingMax = WAITING_MESSAGES_MAX) {
    this.#waitingMax = waitingMax;
  }

  get following(): boolean {
    return this.#state === 'following';
  }

  /** The last message delivered; `undefined` before the first read. */
  get position(): Position | undefined {
    return this.#state === 'unknown' ? undefined : this.#position;
  }

  /** A position as it is called in this epoch; `undefined` if this epoch does not contain it. */
  locate(position: Position): Position | undefined {
    return locate(position, { epoch: this.#position.epoch, bridges: this.#bridges });
  }

  /**
   * A sender here is to know of this message: if it is lost before it was delivered here, that is a gap.
   * Returns false if it is lost already: a former primary appended it, and this epoch continues without it.
   */
  acknowledge({ epoch, offset }: Position): boolean {
    if (epoch === this.#position.epoch && offset > this.#acknowledged) this.#acknowledged = offset;
    const bridge = this.#bridges.find(found => found.epoch === epoch);
    return bridge === undefined || offset <= bridge.offset;
  }

  /** A live message came: now, later, or (a known one) never. Returns whether it is to be delivered now. */
  take(message: Message): 'deliver' | 'wait' | 'known' {
    if (this.#state !== 'unknown' && message.epoch === this.#position.epoch) {
      if (message.offset <= this.#position.offset) return 'known';
      if (this.#state === 'following' && message.offset === this.#position.offset + 1) {
        this.#position = { epoch: message.epoch, offset: message.offset };
        return 'deliver';
      }
    }
    if (this.#state === 'following') this.#state = 'behind';
    if (this.#early.length + (this.#late?.length ?? 0) >= this.#waitingMax) {
      this.#early = NONE;
      this.#late = undefined;
      this.#readAgain = true;
    }
    this.#late ??= [];
    this.#late.push(message);
    return 'wait';
  }

  /** Messages may have been lost: later messages wait until a read that begins after this call. */
  doubt(): void {
    if (this.#state === 'following') this.#state = 'behind';
    this.#readAgain = true;
  }

  beginRead(): void {
    if (this.#late !== undefined) this.#early = [...this.#early, ...this.#late];
    this.#late = undefined;
    this.#readAgain = false;
  }

  /** Takes the result of a read. Returns the next steps, in order; another read is needed unless `following` is true. */
  learn(reading: Reading<Message>): Step<Message>[] {
    const steps: Step<Message>[] = [];
    const { epoch, offset } = reading;
    let rest = false;
    if (this.#state === 'unknown') {
      this.#position = { epoch, offset };
    } else if (epoch === this.#position.epoch) {
      this.#takeRead(reading, steps);
      rest = this.#position.offset < offset;
    } else {
      const begunAt = this.#position.offset;
      steps.push(this.#enterEpoch(reading));
      // A read that began behind a lost message lacks what took its place.
      if (this.#position.offset === begunAt) this.#takeRead(reading, steps);
      rest = this.#position.offset < offset;
    }
    this.#bridges = reading.bridges;
    // Messages from before the read were also appended before it. Others do not exist, and would be awaited forever.
    this.#early = this.#early.filter(message => message.epoch === epoch && message.offset <= offset);
    if (!rest) rest = !this.#takeWaiting(steps);
    this.#state = rest || this.#readAgain ? 'behind' : 'following';
    return steps;
  }

  #enterEpoch({ epoch, bridges }: Reading<Message>): Step<Message> {
    const { epoch: previousEpoch, offset } = this.#position;
    const bridge = bridges.find(found => found.epoch === previousEpoch);
    const isWhole = bridge !== undefined && Math.max(offset, this.#acknowledged) <= bridge.offset;
    // Without a bridge from here, what precedes this epoch is as unknown as what was lost.
    const keptOffset = bridge?.offset ?? bridges[0]?.offset ?? 0;
    this.#position = { epoch, offset: bridge === undefined ? keptOffset : Math.min(offset, keptOffset) };
    this.#acknowledged = 0;
    const position = this.#position;
    return isWhole ? { crossing: { previousEpoch, position } } : { gap: { reason: 'new_epoch', position } };
  }

  #takeRead({ epoch, messages, through }: Reading<Message>, steps: Step<Message>[]): void {
    for (const message of messages) {
      if (message.offset <= this.#position.offset) continue;
      this.#skipTo(message.offset - 1, steps);
      this.#position = { epoch, offset: message.offset };
      steps.push({ message });
    }
    this.#skipTo(through, steps);
  }

  #skipTo(offset: number, steps: Step<Message>[]): void {
    if (this.#position.offset >= offset) return;
    this.#position = { ...this.#position, offset };
    steps.push({ gap: { reason: 'too_old', position: this.#position } });
  }

  /** Delivers what waited, as far as it follows. Returns whether nothing is left. */
  #takeWaiting(steps: Step<Message>[]): boolean {
    const waiting = [...this.#early, ...(this.#late ?? NONE)];
    let taken = 0;
    for (const message of waiting) {
      if (message.epoch !== this.#position.epoch || message.offset > this.#position.offset + 1) break;
      taken++;
      if (message.offset <= this.#position.offset) continue;
      this.#position = { epoch: message.epoch, offset: message.offset };
      steps.push({ message });
    }
    this.#early = NONE;
    this.#late = taken < waiting.length ? waiting.slice(taken) : undefined;
    return this.#late === undefined;
  }
}
