/** Tries a WebSocket beside events, which keep their frames meanwhile. */
import { CLOSE_NORMAL } from '@hubbub/protocol';
import type { OpenTransport, Transport, TransportListener, TransportRequest } from './transport.js';

/** The first probe begins within this time; the next ones follow ever more rarely. */
const FIRST_PROBE_MS = 10_000;
const MAX_PROBE_MS = 600_000;
const PROBE_FACTOR = 4;

export interface Trial {
  /** Milliseconds that the `welcome` may take. */
  readonly timeoutMs: number;
  /** The WebSocket got its `welcome`. Returns the listener for that and all later frames; without one they are dropped. */
  worked(socket: Transport): TransportListener | undefined;
  /** The WebSocket ended, or the time is over; the WebSocket is closed. */
  failed(): void;
}

/** Returns what closes the WebSocket, unless it has worked. */
export function trySocket(openSocket: OpenTransport, request: TransportRequest, trial: Trial): () => void {
  let isPending = true;
  let listener: TransportListener | undefined;
  const giveUp = (): void => {
    if (!isPending) return;
    isPending = false;
    clearTimeout(timer);
    socket.close(CLOSE_NORMAL, 'checked');
  };
  const fail = (): void => {
    if (!isPending) return;
    giveUp();
    trial.failed();
  };
  const timer = setTimeout(fail, trial.timeoutMs);
  const socket = openSocket(request, {
    opened() {},
    received(data) {
      if (isPending) {
        isPending = false;
        clearTimeout(timer);
        listener = trial.worked(socket);
      }
      listener?.received(data);
    },
    closed: closing => (listener ? listener.closed(closing) : fail()),
  });
  return giveUp;
}

/** Tries a WebSocket from time to time, until one works. Returns what ends this. */
export function probeSockets(
  openSocket: OpenTransport,
  request: () => TransportRequest,
  { timeoutMs, worked }: Pick<Trial, 'timeoutMs'> & { worked(): void },
): () => void {
  let stop: () => void;
  const plan = (maxMs: number): void => {
    const timer = setTimeout(
      () => {
        stop = trySocket(openSocket, request(), {
          timeoutMs,
          worked(socket) {
            // The client opens another one, as for any move.
            socket.close(CLOSE_NORMAL, 'probed');
            worked();
            return undefined;
          },
          failed: () => plan(Math.min(maxMs * PROBE_FACTOR, MAX_PROBE_MS)),
        });
      },
      maxMs * (0.5 + Math.random() / 2),
    );
    stop = () => clearTimeout(timer);
  };
  plan(FIRST_PROBE_MS);
  return () => stop();
}
