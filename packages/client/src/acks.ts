/** Frames that went out and wait for their answer, by `id`. */
import { CLIENT_FRAME_TYPES, type Frame, HubbubError, isErrorCode } from '@hubbub/protocol';

/** The frame types that answer a frame of ours; `error` answers any. */
export type AnswerType = 'ack' | 'pong' | 'online_users' | 'history';

export interface Pending {
  readonly frame: Frame & { readonly id: string };
  readonly answer: AnswerType;
  resolve(answer: Frame): void;
  reject(error: HubbubError): void;
}

/** What becomes of a frame that was not carried out, or of which that is not known. */
export type Refuse<P extends Pending> = (item: P, error: HubbubError) => void;

/** Every frame in here is answered, timed out or taken out: none waits for ever. */
export class Acks<P extends Pending> {
  readonly #timeoutMs: number;
  readonly #refuse: Refuse<P>;
  readonly #pending = new Map<string, { readonly item: P; readonly timer: ReturnType<typeof setTimeout> }>();

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
    const timer = setTimeout(() => this.#giveUp(item), this.#timeoutMs);
    this.#pending.set(item.frame.id, { item, timer });
  }

  /** How many frames match. */
  count(matches: (item: P) => boolean): number {
    let count = 0;
    for (const { item } of this.#pending.values()) if (matches(item)) count++;
    return count;
  }

  /** The frame of ours that this answered. An echoed `new_message` carries our id too, and answers nothing. */
  settle(answer: Frame): P | undefined {
    const item = answer.id === undefined ? undefined : this.#pending.get(answer.id)?.item;
    if (item === undefined || (answer.type !== item.answer && answer.type !== 'error')) return undefined;
    this.#remove(item);
    if (answer.type === 'error') this.#refuse(item, errorOfFrame(answer));
    else item.resolve(answer);
    return item;
  }

  /** Takes out all, in the order they were sent. */
  takeAll(): P[] {
    const items = [...this.#pending.values()].map(({ item }) => item);
    for (const item of items) this.#remove(item);
    return items;
  }

  #giveUp(item: P): void {
    this.#remove(item);
    this.#refuse(item, unansweredError(item.frame, `no answer within ${this.#timeoutMs} ms`));
  }

  #remove(item: P): void {
    clearTimeout(this.#pending.get(item.frame.id)?.timer);
    this.#pending.delete(item.frame.id);
  }
}

/** The edge answered so: not a failure that the SDK itself noticed. */
export class Refused extends HubbubError {}

/** A code that a newer edge added is named in the message and counts as `OUTCOME_UNKNOWN`: the SDK does not repeat it. */
function errorOfFrame({ payload }: Frame): HubbubError {
  const code = payload?.code;
  const message = String(payload?.message ?? '');
  const retryAfterMs = typeof payload?.retry_after_ms === 'number' ? payload.retry_after_ms : undefined;
  if (isErrorCode(code)) return new Refused(code, message, { retryAfterMs });
  return new Refused('OUTCOME_UNKNOWN', `${code}: ${message}`, { retryAfterMs });
}

/** Frames of Hubbub's own that publish nothing: asking again does no harm. */
const REQUESTS: ReadonlySet<string> = new Set(CLIENT_FRAME_TYPES.filter(type => type !== 'send_message'));

/** Whether a frame publishes: a message or a client event. */
export function isPublish({ type }: Frame): boolean {
  return !REQUESTS.has(type);
}

/** Of a frame that was sent and not answered. */
export function unansweredError(frame: Frame, why: string): HubbubError {
  return isPublish(frame)
    ? new HubbubError('OUTCOME_UNKNOWN', `${frame.type}: ${why}; it is not known whether it was executed.`)
    : new HubbubError('UNAVAILABLE', `${frame.type}: ${why}.`);
}
