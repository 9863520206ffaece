/** From bytes to the file that answers them: reads a frame, finds its action, turns what goes wrong into an `error`. */
import { CLIENT_FRAME_TYPES, type ClientFrameType, HubbubError } from '@hubbub/protocol';
import type { ClientFrame } from '@hubbub/protocol/client-frame';
import type { Logger } from '@hubbub/runtime';
import type { FrameContext } from './frames/frame-context.js';
import { FRAME_ACTIONS } from './frames/index.js';
import type { EdgeMetrics, FrameLabel } from './metrics.js';
import type { FrameHandler, Session } from './session.js';

export interface Dispatcher {
  /** Takes in one message of a client. Never throws (invariant 7). */
  receive(session: Session, bytes: Uint8Array, isBinary: boolean): void;
  readonly handle: FrameHandler;
}

export function createDispatcher(context: FrameContext, metrics: EdgeMetrics, log: Logger): Dispatcher {
  const fail = (session: Session, frame: Partial<ClientFrame>, label: FrameLabel, error: unknown): void => {
    if (!(error instanceof HubbubError))
      log.error({ event: 'frame_failed', type: label, err: error }, 'a frame failed');
    const { code, message } =
      error instanceof HubbubError ? error : new HubbubError('UNAVAILABLE', 'This failed here.');
    metrics.frame(label, code);
    session.refuse(frame, code, message);
  };

  const handle: FrameHandler = (session, frame) => {
    const label = isClientFrameType(frame.type) ? frame.type : 'client_event';
    try {
      if (!isClientFrameType(frame.type))
        throw new HubbubError('UNKNOWN_TYPE', `There is no frame type ${frame.type}.`);
      const done = FRAME_ACTIONS[frame.type](session, frame, context);
      if (done === undefined) {
        metrics.frame(label, 'ok');
        return;
      }
      return done.then(
        () => metrics.frame(label, 'ok'),
        error => fail(session, frame, label, error),
      );
    } catch (error) {
      fail(session, frame, label, error);
    }
  };

  return {
    handle,
    receive(session, bytes, isBinary) {
      try {
        if (bytes.length > context.limits.max_frame_bytes) {
          throw new HubbubError(
            'TOO_LARGE',
            `A frame has at most ${context.limits.max_frame_bytes} bytes, this one ${bytes.length}.`,
          );
        }
        session.handle(session.decode(bytes, isBinary), handle);
      } catch (error) {
        fail(session, {}, 'unreadable', error);
      }
    },
  };
}

const CLIENT_FRAMES: ReadonlySet<string> = new Set(CLIENT_FRAME_TYPES);

function isClientFrameType(type: string): type is ClientFrameType {
  return CLIENT_FRAMES.has(type);
}
