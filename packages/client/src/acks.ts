/** Frames that went out and wait for their answer, by `id`. */
import { type Frame, HubbubError } from '@hubbub/protocol';
import { isEventName } from './names.js';
import { readRefused, unavailable } from './refusals.js';

/** The frame types that answer a frame of ours; `error` answers any. */
export type AnswerType = 'ack' | 'pong' | 'online_users' | 'history';

export interface Pending {
  readonly frame: Frame & { readonly id: string };
  readonly answer: AnswerType;
  /** Gives up; set while the answer is awaited. */
  timer?: ReturnType<typeof setTimeout>;
  resolve(answer: Frame): void;
  reject(error: HubbubError): void;
}

/** Called for a frame that was refused, or whose outcome is unknown. */
export type Refuse<P extends Pending> = (item: P, error: HubbubError) => void;

/** Every pending frame is answered, timed out or removed: none waits forever. */
export class Acks<P extends Pending> {
  readonly #timeoutMs: number;
  readonly #refuse: Refuse<P>;
  readonly #pending = new Map<string, P>();

  constructor(timeoutMs: number, refuse: Refuse<P>) {
    this.#timeoutMs = timeoutMs;
    this.#refuse = refuse;
  }

  get size(): number {
    return this.#pending.size;
  }

  has(id: string): boolean {
    return this.#pending.has(id);
  }

  expect(item: P): void {
    item.timer = setTimeout(() => this.#giveUp(item), this.#timeoutMs);
    this.#pending.set(item.frame.id, item);
  }

  /** How many frames match. */
  count(matches: (item: P) => boolean): number {
    let count = 0;
    for (const item of this.#pending.values()) if (matches(item)) count++;
    return count;
  }

  /** The frame of ours that this answered. An echoed `new_message` carries our id too, and answers nothing. */
  settle(answer: Frame): P | undefined {
    const { type, id = '', payload } = answer;
    const item = this.#pending.get(id);
    if (!item || (type !== item.answer && type !== 'error')) return undefined;
    this.#remove(item);
    if (type === 'error') this.#refuse(item, readRefused(payload, 'OUTCOME_UNKNOWN'));
    else item.resolve(answer);
    return item;
  }

  /** Takes out all, in the order they were sent. */
  takeAll(): P[] {
    const items = [...this.#pending.values()];
    for (const item of items) this.#remove(item);
    return items;
  }

  #giveUp(item: P): void {
    this.#remove(item);
    this.#refuse(item, unansweredError(item.frame, `no answer within ${this.#timeoutMs} ms`));
  }

  #remove(item: P): void {
    clearTimeout(item.timer);
    this.#pending.delete(item.frame.id);
  }
}

/** Whether a frame publishes: a message or a client event. To ask again for anything else does no harm. */
export function isPublish({ type }: Frame): boolean {
  return type === 'send_message' || isEventName(type);
}

/** Of a frame that was sent and not answered. */
export function unansweredError(frame: Frame, why: string): HubbubError {
  return isPublish(frame)
    ? new HubbubError('OUTCOME_UNKNOWN', `${frame.type}: ${why}; perhaps it was executed.`)
    : unavailable(`${frame.type}: ${why}.`);
}
