/** From bytes to the file that answers them: reads a frame, finds its action, turns what goes wrong into an `error`. */
import { CLIENT_FRAME_TYPES, type ClientFrameType, HubbubError, isPlainObject } from '@hubbub/protocol';
import { type ClientFrame, type Request, readRequest } from '@hubbub/protocol/client-frame';
import type { Logger } from '@hubbub/runtime';
import { CALLS } from '../limits/cost.js';
import type { CostLimits } from '../limits/cost-limits.js';
import { type FrameLimits, maxWaitingFrames } from '../limits/frame-limits.js';
import { LimitExceeded } from '../limits/limit-exceeded.js';
import type { EdgeMetrics, FrameLabel } from '../metrics.js';
import type { FrameHandler, Session } from '../sessions/session.js';
import { clientEvent } from './client-event.js';
import type { FrameContext } from './frame-context.js';
import { FRAME_ACTIONS } from './index.js';

export interface Dispatcher {
  /** Takes in one message of a client. Never throws (invariant 7). */
  receive(session: Session, bytes: Uint8Array, isBinary: boolean): void;
  readonly handle: FrameHandler;
}

export interface DispatcherParts {
  readonly metrics: EdgeMetrics;
  readonly frameLimits: FrameLimits;
  readonly costLimits: CostLimits;
  readonly log: Logger;
  /** A clock that never goes back. */
  readonly now?: () => number;
}

export function createDispatcher(context: FrameContext, parts: DispatcherParts): Dispatcher {
  const { metrics, frameLimits, costLimits, log, now = () => performance.now() } = parts;
  const maxWaiting = maxWaitingFrames(context.limits);

  const fail = (session: Session, request: Request, label: FrameLabel, error: unknown): void => {
    if (!(error instanceof HubbubError))
      log.error({ event: 'frame_failed', type: label, err: error }, 'a frame failed');
    // After a defect the outcome is unknown.
    const refusal =
      error instanceof HubbubError
        ? error
        : new HubbubError('OUTCOME_UNKNOWN', 'Internal error of the edge; its log has the details.');
    metrics.frame(label, refusal.code);
    session.refuse(request, refusal);
    context.refusals.count(session, refusal);
  };

  const handle: FrameHandler = (session, frame) => {
    const label = labelOf(frame);
    try {
      const type = isClientFrameType(frame.type) ? frame.type : 'client_event';
      const action = type === 'client_event' ? clientEvent : FRAME_ACTIONS[type];
      if (CALLS[type] > 0) session.cost?.calls.spend(CALLS[type], roomOf(session, frame));
      const done = action(session, frame, context);
      if (done === undefined) {
        metrics.frame(label, 'ok');
        return;
      }
      return done.then(
        () => metrics.frame(label, 'ok'),
        error => fail(session, readRequest(frame), label, error),
      );
    } catch (error) {
      fail(session, readRequest(frame), label, error);
    }
  };

  return {
    handle,
    receive(session, bytes, isBinary) {
      let frame: Partial<ClientFrame> = {};
      metrics.received(bytes.length);
      // Before anything is refused: refusals are counted there.
      const nowMs = now();
      session.allowance ??= frameLimits.open(session, nowMs);
      session.cost ??= costLimits.open(session, nowMs);
      session.cost.clock.nowMs = nowMs;
      try {
        const tooMany = session.allowance.take(nowMs);
        if (bytes.length > context.limits.max_frame_bytes) throw tooLarge(bytes.length, context.limits.max_frame_bytes);
        // Also when it is one too many: without its id the client could not know which to send again.
        const whole = session.decode(bytes, isBinary);
        frame = whole;
        if (tooMany !== undefined) throw tooMany;
        session.handle(whole, handle, maxWaiting);
      } catch (error) {
        // The engine also bounds what is read here: 64 KiB, or four times `max_frame_bytes`.
        fail(session, session.readRequest(bytes, isBinary), labelOf(frame), error);
      }
    },
  };
}

function tooLarge(bytes: number, maxBytes: number): LimitExceeded {
  return new LimitExceeded('frame_bytes', 'TOO_LARGE', `A frame has at most ${maxBytes} bytes, this one ${bytes}.`);
}

/** The room that a frame is about, if the client names one. */
function roomOf(session: Session, { room, payload }: ClientFrame): string | undefined {
  if (room !== undefined) return room;
  const named = isPlainObject(payload) ? payload.room_id : undefined;
  return typeof named === 'string' ? named : session.pathRoom;
}

function labelOf({ type }: Partial<ClientFrame>): FrameLabel {
  if (type === undefined) return 'unreadable';
  return isClientFrameType(type) ? type : 'client_event';
}

const CLIENT_FRAMES: ReadonlySet<string> = new Set(CLIENT_FRAME_TYPES);

function isClientFrameType(type: string): type is ClientFrameType {
  return CLIENT_FRAMES.has(type);
}
