/** Requests: frames that promise an answer, matched by `id`. Those that wait for their time are in an outbox. */
import { type Frame, HubbubError, type SessionLimits } from '@hubbub/protocol';
import { readRefused, unavailable } from './errors.js';
import { checkNames, createFrameIds, isEventName } from './names.js';
import { type Wire, type WireCodec, wireBytes, writeFrame } from './wire.js';

/** The frame types that answer a frame of the client; `error` answers any. */
export type AnswerType = 'ack' | 'pong' | 'online_users' | 'history';

export interface Request {
  readonly frame: Frame & { readonly id: string };
  readonly answer: AnswerType;
  readonly wire: Wire;
  /** Gives the request up; set while the frame is in flight. */
  timer?: ReturnType<typeof setTimeout> | undefined;
  resolve(answer: Frame): void;
  reject(error: HubbubError): void;
  /** Receives the error of a frame that was refused or not answered; without it, the promise rejects. */
  refused?(error: HubbubError): void;
  /** Called after an answer of either kind. */
  answered?(answer: Frame): void;
  /** Called before the promise is settled. */
  settled?(): unknown;
}

export interface RequestPolicy {
  readonly codec: WireCodec;
  readonly ackTimeoutMs: number;
}

export interface RequestPorts {
  /** The limits of the session, or of the last one. */
  limits(): Partial<SessionLimits>;
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

  /** Sends immediately: the caller knows that a session exists. @throws {HubbubError} the edge's error, or `UNAVAILABLE`. */
  send(frame: Frame, answer: AnswerType = 'ack'): Promise<Frame> {
    return this.promise(frame, answer, request => this.transmit(request));
  }

  /** Sends a frame that has no answer. */
  notify(frame: Frame): void {
    this.#ports.send(this.#write(frame), frame);
  }

  /** Promises the answer to a frame, which `start` sends or keeps; an error that it throws rejects. */
  async promise(unnamed: Frame, answer: AnswerType, start: (request: Request) => void): Promise<Frame> {
    checkNames(unnamed);
    const id = unnamed.id ?? this.#nextId();
    if (this.#open.has(id)) throw new HubbubError('INVALID_FORMAT', `The id ${id} waits already.`);
    const frame = { ...unnamed, id, ...(isPublish(unnamed) && { message_id: id }) };
    // Written now: a caller who changes the payload later does not change the message, and errors are thrown immediately.
    const wire = this.#write(frame);
    try {
      return await new Promise((resolve, reject) => {
        const settling =
          <Value>(settle: (value: Value) => void) =>
          (value: Value): void => {
            this.land(request);
            this.#open.delete(id);
            request.settled?.();
            settle(value);
          };
        const request: Request = { frame, answer, wire, resolve: settling(resolve), reject: settling(reject) };
        this.#open.set(id, request);
        start(request);
      });
    } finally {
      this.checkSettled();
    }
  }

  transmit(request: Request): void {
    const { ackTimeoutMs } = this.#policy;
    request.timer = setTimeout(() => this.#refuse(request, `no answer within ${ackTimeoutMs} ms`), ackTimeoutMs);
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

  /** Settles the request that this frame answers. An echoed `new_message` carries its id too, and answers nothing. */
  settle(answer: Frame): void {
    const { type, id = '', payload } = answer;
    const request = this.#open.get(id);
    if (!request?.timer || (type !== request.answer && type !== 'error')) return;
    if (type === 'error') this.#refuse(request, readRefused(payload, 'OUTCOME_UNKNOWN'));
    else request.resolve(answer);
    request.answered?.(answer);
  }

  /** Gives up what is in flight and not of an outbox: it means something for the session that ended alone. */
  sessionLost(): void {
    for (const request of this.#open.values()) if (request.timer && !request.refused) this.#refuse(request, BROKEN);
  }

  #refuse(request: Request, why: string | HubbubError): void {
    const error = typeof why === 'string' ? unansweredError(request.frame, why) : why;
    this.land(request);
    if (request.refused) request.refused(error);
    else request.reject(error);
  }

  #write(frame: Frame): Wire {
    const wire = writeFrame(this.#policy.codec, frame);
    const maxBytes = this.#ports.limits().max_frame_bytes;
    // An edge does not read what is too large, so its error could not name our id.
    if (maxBytes !== undefined && wireBytes(wire) > maxBytes) {
      throw new HubbubError('TOO_LARGE', `The frame has more than ${maxBytes} bytes.`);
    }
    return wire;
  }
}

/** Why a request of a lost session has no answer. */
export const BROKEN = 'the connection broke';

/** Whether a frame publishes: a message or a client event. Any other frame may be sent twice without harm. */
function isPublish({ type }: Frame): boolean {
  return type === 'send_message' || isEventName(type);
}

/** The error for a frame that was sent and has no known outcome. */
export function unansweredError(frame: Frame, why: string): HubbubError {
  return isPublish(frame)
    ? new HubbubError('OUTCOME_UNKNOWN', `${frame.type}: ${why}; perhaps it was executed.`)
    : unavailable(`${frame.type}: ${why}.`);
}
