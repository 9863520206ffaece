/** The pending frames of one room, or of those about no room: held back until they can go, and repeated where that is safe. */
import type { Frame, HubbubError } from '@hubbub/protocol';
import { type BackoffPolicy, fullJitterMs } from './backoff.js';
import type { CallOptions } from './calls.js';
import { defined } from './defined.js';
import { unavailable } from './errors.js';
import type { Session } from './frames.js';
import { BROKEN, type Request, type Requests, unansweredError } from './requests.js';

/** An edge knows a `message_id` again for 5 minutes; a repetition needs some of them for its way. */
const REPEATABLE_MS = 4 * 60_000;

export interface OutboxPolicy extends BackoffPolicy {
  readonly offlineQueueSize: number;
  readonly retryInFlight: boolean;
}

export interface OutboxPorts {
  /** Whether frames may go out now. */
  isReady(): boolean;
  /** The session, or the last one. */
  session(): Session | undefined;
  /** The epoch of the room's history, where it has one: there an edge knows a repetition by its `message_id`. */
  epoch?(): string | undefined;
  /** A frame was answered; `epoch` is that of the room when it was sent first. */
  answered?(answer: Frame, epoch: string | undefined): void;
}

interface Delivery extends Request {
  /** When it went out first, the epoch of its room then, and the user who sent it; `undefined` before. */
  first?: { readonly atMs: number; epoch: string | undefined; readonly user: string | undefined };
  /** The outcome of an attempt is not known. */
  isUnknown?: boolean;
}

export class Outbox {
  readonly #policy: OutboxPolicy;
  readonly #requests: Requests;
  readonly #ports: OutboxPorts;
  /** In the order of the calls. Those without a timer wait. */
  readonly #open = new Set<Delivery>();
  /** Set while frames wait because the edge could not take one; later frames must not overtake it. */
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  /** Refusals in a row: the exponent of the backoff. */
  #failures = 0;

  constructor(policy: OutboxPolicy, requests: Requests, ports: OutboxPorts) {
    this.#policy = policy;
    this.#requests = requests;
    this.#ports = ports;
  }

  get isEmpty(): boolean {
    return this.#open.size === 0;
  }

  /** Messages that were sent and not yet answered. */
  get messagesInFlight(): number {
    return this.#count(({ first, frame }) => first !== undefined && frame.type === 'send_message');
  }

  isInFlight(id: string): boolean {
    return this.#count(({ timer, frame }) => timer !== undefined && frame.id === id) > 0;
  }

  /** Sends when it can, which may be after a reconnect. @throws {HubbubError} the edge's error, or `UNAVAILABLE`. */
  submit(frame: Frame, options?: CallOptions): Promise<Frame> {
    return this.#requests.promise(frame, options, (request: Delivery) => {
      const { offlineQueueSize } = this.#policy;
      const canGo = this.#isReady() && this.#count(({ timer }) => !timer) === 0;
      // This one is counted already.
      if (!canGo && this.#requests.waiting > offlineQueueSize) {
        request.reject(unavailable(`${offlineQueueSize} frames wait already.`));
        return;
      }
      this.#open.add(request);
      request.owner = this;
      if (canGo) this.#transmit(request);
    });
  }

  /** A frame was answered. */
  answered({ first }: Delivery, answer: Frame): void {
    if (answer.type === 'ack') this.#failures = 0;
    this.#ports.answered?.(answer, first?.epoch);
  }

  /** A frame is settled. */
  settled(delivery: Delivery): void {
    this.#open.delete(delivery);
  }

  /** The broker does not answer. Where the edge knows a message again, the SDK waits and repeats it for the application. */
  refused(delivery: Delivery, error: HubbubError): void {
    const isUnknown = error.code === 'OUTCOME_UNKNOWN';
    delivery.isUnknown ||= isUnknown;
    if (!(isUnknown || error.code === 'UNAVAILABLE') || !this.#isRepeatable(delivery, false)) {
      this.#reject(delivery, error);
      return;
    }
    this.#retryTimer ??= setTimeout(
      () => {
        this.#retryTimer = undefined;
        this.flush();
      },
      (error.retryAfterMs ?? 0) + fullJitterMs(this.#failures++, this.#policy),
    );
    this.#requests.checkSettled();
  }

  /** Sends what waited and now can go. */
  flush(): void {
    for (const delivery of this.#open) {
      // A listener of frames may close the client, leave the room, or send.
      if (delivery.timer || !this.#isReady()) continue;
      // The room may have lost its history since, or the edge its memory of the `message_id`.
      if (!delivery.first || this.#isRepeatable(delivery)) this.#transmit(delivery);
      else this.#reject(delivery, unavailable('not repeated'));
    }
  }

  /** A message of ours was replayed: its `ack` was lost. Settles its promise; false where no message waits for that. */
  arrived({ id, epoch, offset, timestamp }: Frame): boolean {
    for (const { timer, frame, resolve } of this.#open) {
      if (timer || frame.id !== id) continue;
      resolve(defined({ type: 'ack', id: frame.id, epoch, offset, timestamp }));
      return true;
    }
    return false;
  }

  /** The room's history continues in another epoch: an edge knows a repetition of what was sent before there, too. */
  crossed(previous: unknown, epoch: string | undefined): void {
    for (const { first } of this.#open) if (first && first.epoch === previous) first.epoch = epoch;
  }

  /** Repeats only messages in the next session: other frames have a meaning for the session that ended alone. */
  sessionLost(): void {
    this.#stopRetrying();
    for (const delivery of this.#open) {
      if (!delivery.timer) continue;
      this.#requests.land(delivery);
      delivery.isUnknown = true;
      if (!this.#isRepeatable(delivery)) this.#reject(delivery, unavailable(BROKEN));
    }
  }

  /** Rejects what waits. */
  refuse(error: HubbubError): void {
    this.#stopRetrying();
    for (const delivery of this.#open) if (!delivery.timer) this.#reject(delivery, error);
  }

  #count(matches: (delivery: Delivery) => boolean): number {
    return [...this.#open].filter(matches).length;
  }

  #isReady(): boolean {
    return !this.#retryTimer && this.#ports.isReady();
  }

  #transmit(delivery: Delivery): void {
    const { epoch, session } = this.#ports;
    delivery.first ??= { atMs: performance.now(), epoch: epoch?.(), user: session()?.user.id };
    this.#requests.transmit(delivery);
  }

  #stopRetrying(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#failures = 0;
  }

  /**
   * Whether a message may be sent again: where the edge would know a second copy as one, or the application allows two.
   * An abandoned message is not repeated.
   */
  #isRepeatable({ frame, first, isGivenUp }: Delivery, mayDouble = this.#policy.retryInFlight): boolean {
    if (isGivenUp || frame.type !== 'send_message') return false;
    const { epoch, session } = this.#ports;
    return (
      mayDouble ||
      (first?.epoch !== undefined &&
        first.epoch === epoch?.() &&
        // An edge knows a repetition by the same user only.
        first.user === session()?.user.id &&
        performance.now() - first.atMs < REPEATABLE_MS)
    );
  }

  /** An attempt with an unknown outcome makes the whole so, whatever became of later ones. */
  #reject({ frame, isUnknown, reject }: Delivery, error: HubbubError): void {
    reject(isUnknown && error.code !== 'OUTCOME_UNKNOWN' ? unansweredError(frame, error.message) : error);
  }
}
