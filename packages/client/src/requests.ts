/** Requests: frames that promise an answer, matched by `id`. Those that wait for their time are in an outbox. */
import { type Frame, HubbubError } from '@hubbub/protocol';
import { type CallOptions, limitCall, noAnswerWithin } from './calls.js';
import { readRefused, unavailable } from './errors.js';
import type { Session } from './frames.js';
import { checkNames, createFrameIds, isEventName } from './names.js';
import { type Wire, type WireCodec, wireBytes, writeFrame } from './wire.js';

export interface Request {
  readonly frame: Frame & { readonly id: string };
  readonly wire: Wire;
  /** Gives the request up; set while the frame is in flight. */
  timer?: ReturnType<typeof setTimeout> | undefined;
  /** It was sent, perhaps more than once. */
  isSent?: boolean;
  /** The caller does not wait any more; the answer still counts for the room. */
  isGivenUp?: boolean;
  resolve(answer: Frame): void;
  reject(error: HubbubError): void;
  /** The outbox that keeps it; without one, a refusal rejects the promise. */
  owner?: RequestOwner;
}

export interface RequestOwner {
  /** The frame was refused, or has no answer: it is rejected, or waits in the outbox. */
  refused(request: Request, error: HubbubError): void;
  /** Called after an answer of either kind. */
  answered(request: Request, answer: Frame): void;
  /** Called before the promise is settled. */
  settled(request: Request): void;
}

export interface RequestPolicy {
  readonly codec: WireCodec;
  readonly ackTimeoutMs: number;
  /** @throws {HubbubError} `INVALID_PAYLOAD` */
  check(frame: Frame): unknown;
}

export interface RequestPorts {
  /** The session, or the last one. */
  session(): Session | undefined;
  send(wire: Wire, frame: Frame): void;
  /** The last frame in flight was answered or given up. */
  settled(): void;
}

/** Every request is answered, given up or rejected: no promise stays pending. */
export class Requests {
  readonly #policy: RequestPolicy;
  readonly #ports: RequestPorts;
  readonly #nextId = createFrameIds();
  readonly #open = new Map<string, Request>();
  #inFlight = 0;

  constructor(policy: RequestPolicy, ports: RequestPorts) {
    this.#policy = policy;
    this.#ports = ports;
  }

  /** Frames that wait in outboxes. */
  get waiting(): number {
    return this.#open.size - this.#inFlight;
  }

  /** Sends immediately: the caller knows that a session exists. @throws {HubbubError} the edge's error, or `UNAVAILABLE`. */
  send(frame: Frame, options?: CallOptions): Promise<Frame> {
    return this.promise(frame, options, request => this.transmit(request));
  }

  /** Sends a frame that has no answer. */
  notify(frame: Frame): void {
    this.#ports.send(this.#write(frame), frame);
  }

  /** Promises the answer to a frame, which `start` sends, keeps or rejects. */
  promise(frame: Frame, options: CallOptions = {}, start: (request: Request) => void): Promise<Frame> {
    let request: Request | undefined;
    const call = (): Promise<Frame> =>
      this.#promise(frame, made => {
        request = made;
        start(made);
      });
    return limitCall(options, call, why => {
      const error = unansweredError(frame, why, request?.isSent ?? false);
      if (request?.timer) request.isGivenUp = true;
      else request?.reject(error);
      return error;
    });
  }

  async #promise(unnamed: Frame, start: (request: Request) => void): Promise<Frame> {
    checkNames(unnamed);
    const id = unnamed.id ?? this.#nextId();
    if (this.#open.has(id)) throw new HubbubError('INVALID_FORMAT', `The id ${id} waits already.`);
    const frame = { ...unnamed, id, ...(isPublish(unnamed) && { message_id: id }) };
    this.#policy.check(frame);
    // Written now: a caller who changes the payload later does not change the message, and errors are thrown immediately.
    const wire = this.#write(frame);
    try {
      return await new Promise((resolve, reject) => {
        const settling =
          <Value>(settle: (value: Value) => void) =>
          (value: Value): void => {
            this.land(request);
            this.#open.delete(id);
            request.owner?.settled(request);
            settle(value);
          };
        const request: Request = { frame, wire, resolve: settling(resolve), reject: settling(reject) };
        this.#open.set(id, request);
        start(request);
      });
    } finally {
      this.checkSettled();
    }
  }

  transmit(request: Request): void {
    const { ackTimeoutMs } = this.#policy;
    request.timer = setTimeout(() => this.#refuse(request, noAnswerWithin(ackTimeoutMs)), ackTimeoutMs);
    request.isSent = true;
    this.#inFlight++;
    this.#ports.send(request.wire, request.frame);
  }

  /** Ends the flight of a request, whatever it led to. */
  land(request: Request): void {
    if (request.timer) this.#inFlight--;
    clearTimeout(request.timer);
    request.timer = undefined;
  }

  checkSettled(): void {
    if (this.#inFlight === 0) this.#ports.settled();
  }

  /** Settles the request that this frame answers. */
  settle(answer: Frame): void {
    const { type, id = '', payload } = answer;
    const request = this.#open.get(id);
    if (!request?.timer) return;
    if (type === 'error') this.#refuse(request, readRefused(payload, 'OUTCOME_UNKNOWN'));
    else if (type === answerTypeOf(request.frame)) request.resolve(answer);
    else return; // Such as an echoed `new_message`, which has the id of its request.
    request.owner?.answered(request, answer);
  }

  /** Gives up what is in flight and not of an outbox: it means something for the session that ended alone. */
  sessionLost(): void {
    for (const request of this.#open.values()) if (request.timer && !request.owner) this.#refuse(request, BROKEN);
  }

  #refuse(request: Request, why: string | HubbubError): void {
    const error = typeof why === 'string' ? unansweredError(request.frame, why) : why;
    this.land(request);
    if (request.owner) request.owner.refused(request, error);
    else request.reject(error);
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
}

/** Why a request of a lost session has no answer. */
export const BROKEN = 'the connection broke';

/** The type of the frame that answers, other than `error`. */
function answerTypeOf({ type }: Frame): string {
  if (type === 'ping') return 'pong';
  return type === 'online_users' || type === 'history' ? type : 'ack';
}

/** Whether a frame publishes: a message or a client event. Any other frame may be sent twice without harm. */
function isPublish({ type }: Frame): boolean {
  return type === 'send_message' || isEventName(type);
}

/** The error for a frame without an answer. */
export function unansweredError(frame: Frame, why: string, isSent = true): HubbubError {
  return isSent && isPublish(frame)
    ? new HubbubError('OUTCOME_UNKNOWN', `${frame.type}: ${why}; perhaps it was executed.`)
    : unavailable(`${frame.type}: ${why}.`);
}
