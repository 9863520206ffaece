/**
 * Receives the frames of clients. It checks their limits, decodes them, keeps those of a session in order, and hands each to
 * the handler of its type. A frame that fails is answered with an error.
 */
import {
  CLIENT_FRAME_TYPES,
  type ClientFrameType,
  HubbubError,
  isPlainObject,
  readMalformedJson,
} from '@hubbub/protocol';
import { type ClientFrame, parseClientFrame, readRequest } from '@hubbub/protocol/client-frame';
import { CODECS, readMalformedMsgpack } from '@hubbub/protocol/msgpack';
import { bodyEncoding } from '@hubbub/protocol/session-encoding';
import { addFrame } from '../account/last-frames.js';
import { CALLS } from '../limits/cost.js';
import type { Limits } from '../limits/create-limits.js';
import { maxWaitingFrames } from '../limits/frame-limits.js';
import { LimitExceeded, spreadRetryMs } from '../limits/limit-exceeded.js';
import type { EdgeMetrics } from '../metrics.js';
import type { Refusals } from './refusals.js';
import type { Session } from './session.js';

/**
 * Executes a frame. Where it returns a promise, the frames after it wait: so a leave follows its join.
 * @throws {HubbubError} which becomes the `error` that answers the frame; or rejects with it
 */
export type FrameHandler = (session: Session, frame: ClientFrame) => void | Promise<void>;

/** By type; every type that Hubbub does not define is a client event. */
export type FrameHandlers = Readonly<Record<ClientFrameType | 'client_event', FrameHandler>>;

/** Takes one message of a client. Never throws (invariant 7). The bytes are the engine's and gone after the call. */
export type Receive = (session: Session, bytes: Uint8Array, isBinary: boolean) => void;

export interface ReceiverParts {
  readonly limits: Pick<Limits, 'session' | 'frames' | 'costs'>;
  readonly refusals: Refusals;
  readonly metrics: Pick<EdgeMetrics, 'received' | 'frame'>;
  readonly handlers: FrameHandlers;
  /** Reads a frame of another protocol. @throws {HubbubError} `INVALID_FORMAT` */
  readonly decode?: (session: Session, bytes: Uint8Array) => ClientFrame;
}

const RETRY_MIN_MS = 500;
const RETRY_SPREAD_MS = 1000;

export function createReceiver(parts: ReceiverParts): Receive {
  const { limits, refusals, metrics, decode = decodeFrame } = parts;
  const maxWaiting = maxWaitingFrames(limits.session);
  const maxBytes = limits.session.max_frame_bytes;

  return (session, bytes, isBinary) => {
    metrics.received(bytes.length);
    // Before anything is refused: refusals are counted there.
    const nowMs = performance.now();
    session.allowance ??= limits.frames.open(session, nowMs);
    session.cost ??= limits.costs.open(session, nowMs);
    session.cost.clock.nowMs = nowMs;
    let frame: ClientFrame | undefined;
    try {
      const tooMany = session.allowance.take(nowMs);
      if (bytes.length > maxBytes) throw tooLarge(bytes.length, maxBytes);
      // Also when it is one too many: without its id the client could not know which to send again.
      const decoded = decode(session, bytes, isBinary);
      frame = decoded;
      session.lastFrames = addFrame(session.lastFrames, labelOf(decoded));
      if (tooMany !== undefined) throw tooMany;
      if (session.waitingFrames >= maxWaiting) throw tooManyWaiting();
      session.inTurn(() => execute(session, decoded, parts));
    } catch (error) {
      if (frame !== undefined) {
        refusals.refuse(session, readRequest(frame), labelOf(frame), error);
        return;
      }
      session.lastFrames = addFrame(session.lastFrames, 'unreadable');
      // The engine also bounds what is read here: 64 KiB, or four times `max_frame_bytes`.
      const value = isBinary ? readMalformedMsgpack(bytes) : readMalformedJson(bytes);
      refusals.refuse(session, readRequest(value), 'unreadable', error);
    }
  };
}

/** Charges the calls that the frame causes, and executes it. Neither throws nor rejects. */
function execute(session: Session, frame: ClientFrame, parts: ReceiverParts): void | Promise<void> {
  const { handlers, metrics, refusals } = parts;
  const label = labelOf(frame);
  const refuse = (error: unknown): void => refusals.refuse(session, readRequest(frame), label, error);
  try {
    if (CALLS[label] > 0) session.cost?.calls.spend(CALLS[label], roomOf(session, frame));
    const done = handlers[label](session, frame);
    if (done !== undefined) return done.then(() => metrics.frame(label, 'ok'), refuse);
    metrics.frame(label, 'ok');
  } catch (error) {
    refuse(error);
  }
}

/** The room that a frame is about, if the client names one. */
function roomOf(session: Session, { room, payload }: ClientFrame): string | undefined {
  if (room !== undefined) return room;
  const named = isPlainObject(payload) ? payload.room_id : undefined;
  return typeof named === 'string' ? named : session.pathRoom;
}

const CLIENT_FRAMES: ReadonlySet<string> = new Set(CLIENT_FRAME_TYPES);

function labelOf({ type }: ClientFrame): keyof FrameHandlers {
  return CLIENT_FRAMES.has(type) ? (type as ClientFrameType) : 'client_event';
}

/** @throws {HubbubError} `INVALID_FORMAT` */
function decodeFrame(session: Session, bytes: Uint8Array, isBinary: boolean): ClientFrame {
  const encoding = bodyEncoding(session.encoding);
  if (isBinary !== (encoding === 'msgpack')) {
    const [spoken, got] = isBinary ? ['JSON in text', 'binary'] : ['MessagePack in binary', 'text'];
    throw new HubbubError('INVALID_FORMAT', `This session speaks ${spoken} frames, not ${got} ones.`);
  }
  // Binary values are views of what they are decoded from, and a frame may wait: the engine's bytes are gone by then.
  return parseClientFrame(CODECS[encoding].decode(isBinary ? bytes.slice() : bytes));
}

function tooLarge(bytes: number, maxBytes: number): LimitExceeded {
  return new LimitExceeded('frame_bytes', 'TOO_LARGE', `A frame has at most ${maxBytes} bytes, this one ${bytes}.`);
}

function tooManyWaiting(): LimitExceeded {
  const retryAfterMs = spreadRetryMs(RETRY_MIN_MS, RETRY_SPREAD_MS);
  const message = `Too many frames wait for an earlier one of this session; send again in ${retryAfterMs} ms.`;
  return new LimitExceeded('waiting_frames', 'RATE_LIMITED', message, retryAfterMs);
}
