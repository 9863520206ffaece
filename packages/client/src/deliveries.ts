/** Frames on their way out: held back until they can go, sent, and kept until they are answered. */
import { type Frame, HubbubError, type Sender, type SessionLimits } from '@hubbub/protocol';
import { Acks, type AnswerType, isPublish, type Pending, unansweredError } from './acks.js';
import { type BackoffPolicy, fullJitterMs } from './backoff.js';
import { defined } from './defined.js';
import { createFrameIds } from './frame-ids.js';
import { checkNames } from './names.js';
import { OfflineQueue, type Queued } from './offline-queue.js';
import { unavailable } from './refusals.js';
import { type Wire, type WireCodec, wireBytes, writeFrame } from './wire.js';

export interface DeliveryPolicy extends BackoffPolicy {
  readonly codec: WireCodec;
  readonly ackTimeoutMs: number;
  readonly offlineQueueSize: number;
  readonly retryInFlight: boolean;
}

/** An edge knows a `message_id` again for 5 minutes; a repetition needs some of them for its way. */
const REPEATABLE_MS = 4 * 60_000;

export interface DeliveryPorts {
  /** Whether a frame about this room, or about none, may go out now. */
  ready(room: string | undefined): boolean;
  /** The session, or the last one. */
  session(): { readonly user: Sender; readonly limits: SessionLimits } | undefined;
  send(wire: Wire, frame: Frame): void;
  /** The epoch of the room's history, where it has one: there an edge knows a repetition by its `message_id`. */
  epoch(room: string): string | undefined;
  /** A frame of ours about this room was answered; `epoch` is the room's when it was sent first. */
  messageSettled(room: string, epoch: string | undefined, answer: Frame): void;
  /** The last frame in flight was answered or given up. */
  settled(): void;
}

interface Delivery extends Pending, Queued {
  readonly wire: Wire;
  /** When it went out first, the epoch of its room then, and the user who sent it; `undefined` before. */
  first: { readonly atMs: number; readonly epoch: string | undefined; readonly user: string | undefined } | undefined;
  /** An attempt went out of which it is not known what became of it. */
  isUnknown: boolean;
}

export class Deliveries {
  readonly #policy: DeliveryPolicy;
  readonly #ports: DeliveryPorts;
  readonly #nextId = createFrameIds();
  readonly #queue: OfflineQueue<Delivery>;
  readonly #acks: Acks<Delivery>;
  /** Rooms whose messages wait because the edge could not take one; later messages must not overtake it. */
  readonly #stalled = new Map<string, ReturnType<typeof setTimeout>>();
  /** Refusals in a row, by room: the exponent of the backoff. */
  readonly #failures = new Map<string, number>();
  #order = 0;

  constructor(policy: DeliveryPolicy, ports: DeliveryPorts) {
    this.#policy = policy;
    this.#ports = ports;
    this.#queue = new OfflineQueue(policy.offlineQueueSize);
    this.#acks = new Acks(policy.ackTimeoutMs, (delivery, error) => this.#refused(delivery, error));
  }

  get inFlight(): number {
    return this.#acks.size;
  }

  /** Sends when it can, which may be after a reconnect. @throws {HubbubError} the edge's error, or `UNAVAILABLE`. */
  submit(frame: Frame, answer: AnswerType): Promise<Frame> {
    return this.#promise(frame, answer, delivery => {
      const isBehind = this.#queue.count(other => other.frame.room === frame.room) > 0;
      if (!isBehind && this.#isReady(frame.room)) this.#transmit(delivery);
      else if (!this.#queue.full) this.#queue.push(delivery);
      else throw unavailable(`${this.#policy.offlineQueueSize} frames wait already.`);
    });
  }

  /** Sends immediately, past the queue: the caller knows that there is a session. */
  request(frame: Frame, answer: AnswerType): Promise<Frame> {
    return this.#promise(frame, answer, delivery => this.#transmit(delivery));
  }

  /** Sends where it can be sent now, else forgets: for what is worthless later. */
  notify(frame: Frame): void {
    if (this.#ports.ready(frame.room)) this.#ports.send(this.#write(frame), frame);
  }

  /** Settles the frame of ours that this one answers, where it answers any. */
  settle(answer: Frame): void {
    const { frame, first } = this.#acks.settle(answer) ?? {};
    if (frame?.room === undefined) return;
    if (answer.type === 'ack') this.#failures.delete(frame.room);
    this.#ports.messageSettled(frame.room, first?.epoch, answer);
  }

  /** A message of ours was replayed: its `ack` was lost, its `send()` is settled. False when none waits for that. */
  arrived({ id, room, epoch, offset, timestamp }: Frame): boolean {
    const [delivery] = this.#queue.take(({ frame }) => frame.id === id && frame.room === room);
    if (!delivery) return false;
    const { frame, resolve } = delivery;
    resolve(defined({ type: 'ack', id: frame.id, epoch, offset, timestamp }));
    return true;
  }

  /** Messages of this room that were sent, and of which it is not known what became of them. */
  messagesInFlight(room: string): number {
    const matches = ({ frame, first }: Delivery): boolean =>
      first !== undefined && frame.type === 'send_message' && frame.room === room;
    return this.#count(matches);
  }

  isInFlight(id: string): boolean {
    return this.#acks.has(id);
  }

  /** Sends what waited and now can go. */
  flush(): void {
    // One at a time: a listener of frames may close the client, leave the room, or send.
    const isReady = ({ frame }: Delivery): boolean => this.#isReady(frame.room);
    for (;;) {
      const delivery = this.#queue.takeFirst(isReady);
      if (!delivery) return;
      // The room may have lost its history since, or the edge its memory of the `message_id`.
      if (!delivery.first || this.#isRepeatable(delivery)) this.#transmit(delivery);
      else this.#reject(delivery, unavailable('not repeated'));
    }
  }

  /** The session is over. Only messages are repeated: other frames mean something for that session alone. */
  sessionLost(): void {
    for (const room of this.#stalled.keys()) this.#unstall(room);
    const repeated: Delivery[] = [];
    for (const delivery of this.#acks.takeAll()) {
      delivery.isUnknown = true;
      if (this.#isRepeatable(delivery)) repeated.push(delivery);
      else this.#reject(delivery, unavailable('the connection broke'));
    }
    this.#queue.putBack(repeated);
  }

  /** Nothing that waits for this room, or for any, will be sent. */
  refuse(error: HubbubError, room?: string): void {
    for (const stalled of room ? [room] : this.#stalled.keys()) this.#unstall(stalled);
    for (const delivery of this.#queue.take(({ frame }) => !room || frame.room === room)) this.#reject(delivery, error);
  }

  /** A promise of the answer; what `go` throws rejects it. */
  async #promise(unnamed: Frame, answer: AnswerType, go: (delivery: Delivery) => void): Promise<Frame> {
    checkNames(unnamed);
    const id = unnamed.id ?? this.#nextId();
    const frame = { ...unnamed, id, ...(isPublish(unnamed) && { message_id: id }) };
    if (this.#count(other => other.frame.id === id) > 0) {
      throw new HubbubError('INVALID_FORMAT', `The id ${id} waits already.`);
    }
    // Written now: a caller who changes the payload later does not change what was sent, and errors are thrown immediately.
    const wire = this.#write(frame);
    try {
      return await new Promise((resolve, reject) =>
        go({ order: this.#order++, frame, answer, wire, first: undefined, isUnknown: false, resolve, reject }),
      );
    } finally {
      if (this.#acks.size === 0) this.#ports.settled();
    }
  }

  #count(matches: (delivery: Delivery) => boolean): number {
    return this.#acks.count(matches) + this.#queue.count(matches);
  }

  #write(frame: Frame): Wire {
    const wire = writeFrame(this.#policy.codec, frame);
    const maxBytes = this.#ports.session()?.limits.max_frame_bytes;
    // An edge does not read what is too large, so its error could not name our id.
    if (maxBytes !== undefined && wireBytes(wire) > maxBytes) {
      throw new HubbubError('TOO_LARGE', `The frame has more than ${maxBytes} bytes.`);
    }
    return wire;
  }

  /** The broker does not answer. Where the edge knows a message again, waiting and repeating is ours and not the application's. */
  #refused(delivery: Delivery, error: HubbubError): void {
    const { room } = delivery.frame;
    const mayPass = error.code === 'UNAVAILABLE' || error.code === 'OUTCOME_UNKNOWN';
    if (error.code === 'OUTCOME_UNKNOWN') delivery.isUnknown = true;
    if (!mayPass || room === undefined || !this.#isKnownAgain(delivery)) {
      this.#reject(delivery, error);
      return;
    }
    this.#queue.putBack([delivery]);
    if (!this.#stalled.has(room)) {
      const failures = this.#failures.get(room) ?? 0;
      this.#failures.set(room, failures + 1);
      const timer = setTimeout(
        () => {
          this.#stalled.delete(room);
          this.flush();
        },
        fullJitterMs(failures, this.#policy),
      );
      this.#stalled.set(room, timer);
    }
    if (this.#acks.size === 0) this.#ports.settled();
  }

  #unstall(room: string): void {
    clearTimeout(this.#stalled.get(room));
    this.#stalled.delete(room);
    this.#failures.delete(room);
  }

  #isReady(room: string | undefined): boolean {
    return this.#ports.ready(room) && (room === undefined || !this.#stalled.has(room));
  }

  #isRepeatable(delivery: Delivery): boolean {
    return this.#isKnownAgain(delivery) || (this.#policy.retryInFlight && delivery.frame.type === 'send_message');
  }

  /** Whether the edge would know a second copy as one. */
  #isKnownAgain({ frame, first }: Delivery): boolean {
    if (frame.type !== 'send_message' || frame.room === undefined || first?.epoch === undefined) return false;
    // An edge knows a repetition by the same user only.
    if (first.user !== this.#ports.session()?.user.id) return false;
    return first.epoch === this.#ports.epoch(frame.room) && performance.now() - first.atMs < REPEATABLE_MS;
  }

  /** An attempt whose outcome is not known makes the whole so, whatever became of later ones. */
  #reject({ frame, isUnknown, reject }: Delivery, error: HubbubError): void {
    reject(isUnknown && error.code !== 'OUTCOME_UNKNOWN' ? unansweredError(frame, error.message) : error);
  }

  #transmit(delivery: Delivery): void {
    const { room } = delivery.frame;
    delivery.first ??= {
      atMs: performance.now(),
      epoch: room === undefined ? undefined : this.#ports.epoch(room),
      user: this.#ports.session()?.user.id,
    };
    this.#acks.expect(delivery);
    this.#ports.send(delivery.wire, delivery.frame);
  }
}
