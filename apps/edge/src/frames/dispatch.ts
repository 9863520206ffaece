/** From a frame to the file of its type: charges the calls that it causes, and answers it with an error if it fails. */
import { type ClientFrameType, isPlainObject } from '@hubbub/protocol';
import { type ClientFrame, readRequest } from '@hubbub/protocol/client-frame';
import { CALLS } from '../limits/cost.js';
import type { EdgeMetrics } from '../metrics.js';
import { type FrameHandler, labelOf } from '../sessions/receiver.js';
import type { Refusals } from '../sessions/refusals.js';
import type { Session } from '../sessions/session.js';

/** Executes frames of one type. @throws {HubbubError} which becomes the `error` that answers the frame. */
export type FrameHandlers = Readonly<Record<ClientFrameType | 'client_event', FrameHandler>>;

export interface DispatcherParts {
  readonly metrics: Pick<EdgeMetrics, 'frame'>;
  readonly refusals: Refusals;
}

/** Returns a handler of all frames, which never throws. */
export function createDispatcher(handlers: FrameHandlers, { metrics, refusals }: DispatcherParts): FrameHandler {
  return (session, frame) => {
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
  };
}

/** The room that a frame is about, if the client names one. */
function roomOf(session: Session, { room, payload }: ClientFrame): string | undefined {
  if (room !== undefined) return room;
  const named = isPlainObject(payload) ? payload.room_id : undefined;
  return typeof named === 'string' ? named : session.pathRoom;
}
