/** The transport of each attempt: a WebSocket, or server-sent events while something on the way blocks WebSockets. */
import { ABNORMAL, type Closing } from './errors.js';
import { type EventAddress, eventAddress } from './event-address.js';
import type { Settings } from './options.js';
import { probeSockets, trySocket } from './socket-trial.js';
import type { OpenTransport, Transport, TransportListener, TransportRequest } from './transport.js';
import type { EventTransport } from './transport-events.js';
import type { Wire, WireCodec } from './wire.js';

/** Attempts in a row that look blocked, before events are tried: one may be an edge that just left. */
const BLOCKED_ATTEMPTS = 2;
/** The share of `connectTimeoutMs` for the WebSocket that is tried once events work. */
const CHECK_SHARE = 0.25;

/**
 * Tries events after two attempts that looked blocked, and uses them if they get a `welcome` and one more WebSocket does not.
 * Each reconnect tries a WebSocket first. Probes try one beside the events, and the client moves when one works.
 */
export function fallBackToEvents(
  openSocket: OpenTransport,
  codec: WireCodec,
  { connectTimeoutMs }: Pick<Settings, 'connectTimeoutMs'>,
): OpenTransport {
  let blocked = 0;

  return (request, listener) => {
    const address = blocked < BLOCKED_ATTEMPTS ? undefined : eventAddress(request.url);
    return address ? dialEvents(request, address, listener) : dialSocket(request, listener);
  };

  function dialSocket(request: TransportRequest, listener: TransportListener): Transport {
    let isDecided = false;
    const decide = (isBlocked: boolean): void => {
      if (!isDecided) blocked = isBlocked ? blocked + 1 : 0;
      isDecided = true;
    };
    const socket = openSocket(request, {
      opened: () => listener.opened(),
      received(data) {
        decide(false);
        listener.received(data);
      },
      closed(closing) {
        decide(looksBlocked(closing));
        listener.closed(looksBlocked(closing) ? withoutRefusal(closing) : closing);
      },
    });
    return {
      send: data => socket.send(data),
      close(code, reason) {
        // There was no `welcome` in time; an application that closes the client proves nothing about the network.
        decide(reason === 'lost');
        socket.close(code, reason);
      },
    };
  }

  function dialEvents(request: TransportRequest, address: EventAddress, listener: TransportListener): Transport {
    let events: EventTransport | undefined;
    /** Has the frames, once it is known whether WebSockets are blocked. */
    let used: Transport | undefined;
    /** Frames of the events until then. */
    const held: Wire[] = [];
    /** Gives up the WebSocket that is tried beside the events. */
    let stopTrying: (() => void) | undefined;
    let isOver = false;

    const end = (isRefused: boolean): void => {
      if (isOver) return;
      isOver = true;
      stopTrying?.();
      events?.close();
      // One more blocked WebSocket, and events are next; where they did not work either, the network may be down.
      blocked = used?.kind === 'events' || isRefused ? BLOCKED_ATTEMPTS - 1 : 0;
    };
    const closed = (closing: Closing): void => {
      end(closing.refusal !== undefined);
      // An edge that knows no events is one for WebSockets.
      listener.closed(closing.refusal?.code === 'NOT_FOUND' ? withoutRefusal(closing) : closing);
    };
    const useSocket = (socket: Transport): TransportListener => {
      used = socket;
      events?.close();
      listener.opened();
      return listener;
    };
    const useEvents = (opened: EventTransport): void => {
      used = opened;
      stopTrying = probeSockets(openSocket, () => opened.request, {
        timeoutMs: connectTimeoutMs,
        worked: () => opened.deliver({ type: 'reconnect', payload: { delay_ms: 0 } }),
      });
      listener.opened();
      for (const frame of held.splice(0)) listener.received(frame);
    };
    /** The network may have been down, and not blocked: a WebSocket that works now is better. */
    const checkSocket = (opened: EventTransport): void => {
      const timeoutMs = connectTimeoutMs * CHECK_SHARE;
      stopTrying = trySocket(openSocket, request, { timeoutMs, worked: useSocket, failed: () => useEvents(opened) });
    };
    // Few clients ever need it: a module of its own, which pages load then.
    import('./transport-events.js').then(
      ({ EventTransport }) => {
        if (isOver) return;
        const received = (data: Wire): void => {
          if (used) listener.received(data);
          else if (held.push(data) === 1) checkSocket(opened);
        };
        const opened: EventTransport = new EventTransport(request, address, { opened() {}, received, closed }, codec);
        events = opened;
      },
      error => closed({ code: ABNORMAL, reason: String(error) }),
    );
    return {
      get kind() {
        return used?.kind ?? 'websocket';
      },
      send: data => used?.send(data),
      close(code, reason) {
        end(false);
        used?.close(code, reason);
      },
    };
  }
}

/**
 * Whether the attempt never reached an edge as a WebSocket. A refusal shows that it did, except `UPGRADE_REQUIRED`: then
 * something on the way made a plain request of it.
 */
function looksBlocked({ code, refusal }: Closing): boolean {
  return code === ABNORMAL && (!refusal || refusal.code === 'UPGRADE_REQUIRED');
}

function withoutRefusal({ code, reason }: Closing): Closing {
  return { code, reason };
}
