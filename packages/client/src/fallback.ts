/** The transport of each attempt: a WebSocket, or server-sent events while something on the way blocks WebSockets. */
import { CLOSE_NORMAL } from '@hubbub/protocol';
import { ABNORMAL, type Closing } from './errors.js';
import { type EventAddress, eventAddress } from './event-address.js';
import type { Settings } from './options.js';
import type { OpenTransport, Transport, TransportListener, TransportRequest } from './transport.js';
import type { EventTransport } from './transport-events.js';
import type { WireCodec } from './wire.js';

/** Attempts in a row that look blocked, before events are tried: one may be an edge that just left. */
const BLOCKED_ATTEMPTS = 2;
/** Once events work, one WebSocket more has this share of the time for an attempt. */
const CHECK_SHARE = 0.25;
/** On events, a WebSocket is tried after up to so many milliseconds; and later, as long as it is blocked. */
const FIRST_PROBE_MS = 10_000;
const MAX_PROBE_MS = 600_000;
const PROBE_FACTOR = 4;

/**
 * Tries events after two attempts that looked blocked, and uses them if they yield a `welcome` and one WebSocket more does not.
 * Each reconnect tries a WebSocket first; so does a probe from time to time, and if it succeeds the client moves.
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
    let socket: Transport | undefined;
    let checkTimer: ReturnType<typeof setTimeout> | undefined;
    /** Frames of the events, until it is known that WebSockets are blocked. */
    let held: (string | Uint8Array)[] | undefined = [];
    let isSocketUsed = false;
    let stopProbing: (() => void) | undefined;
    let isOver = false;
    const end = (isRefused: boolean): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(checkTimer);
      stopProbing?.();
      if (!isSocketUsed) socket?.close(CLOSE_NORMAL, 'checked');
      // One more blocked WebSocket, and events are next; where they did not work either, the network may be down.
      if (blocked > 0) blocked = stopProbing || isRefused ? BLOCKED_ATTEMPTS - 1 : 0;
    };
    const closed = (closing: Closing): void => {
      end(closing.refusal !== undefined);
      // An edge that knows no events is one for WebSockets.
      listener.closed(closing.refusal?.code === 'NOT_FOUND' ? withoutRefusal(closing) : closing);
    };
    const useEvents = (opened: EventTransport): void => {
      if (!held || isOver) return;
      const frames = held;
      held = undefined;
      clearTimeout(checkTimer);
      stopProbing = probe(
        () => opened.request,
        () => {
          blocked = 0;
          opened.deliver({ type: 'reconnect', payload: { delay_ms: 0 } });
        },
      );
      listener.opened();
      for (const frame of frames) listener.received(frame);
    };
    const useSocket = (opened: EventTransport): void => {
      held = undefined;
      clearTimeout(checkTimer);
      isSocketUsed = true;
      blocked = 0;
      opened.close();
      listener.opened();
    };
    /** The network may have been down, and not blocked: a WebSocket that works now is better. */
    const checkSocket = (opened: EventTransport): void => {
      checkTimer = setTimeout(() => {
        useEvents(opened);
        socket?.close(CLOSE_NORMAL, 'checked');
      }, connectTimeoutMs * CHECK_SHARE);
      socket = openSocket(request, {
        opened() {},
        received(data) {
          if (held && !isOver) useSocket(opened);
          if (isSocketUsed) listener.received(data);
        },
        closed(closing) {
          if (!isSocketUsed) useEvents(opened);
          else if (!isOver) closed(closing);
        },
      });
    };
    // Few clients ever need it: a module of its own, which pages load then.
    import('./transport-events.js').then(
      ({ EventTransport }) => {
        if (isOver) return;
        const opened: EventTransport = new EventTransport(
          request,
          address,
          {
            opened() {},
            received(data) {
              if (!held) listener.received(data);
              else if (held.push(data) === 1) checkSocket(opened);
            },
            closed,
          },
          codec,
        );
        events = opened;
      },
      error => isOver || closed({ code: ABNORMAL, reason: String(error) }),
    );
    return {
      get kind() {
        return isSocketUsed ? 'websocket' : 'events';
      },
      send: data => (isSocketUsed ? socket : events)?.send(data),
      close(code, reason) {
        end(false);
        events?.close();
        if (isSocketUsed) socket?.close(code, reason);
      },
    };
  }

  /** Tries a WebSocket from time to time, until one gets a `welcome`. Returns what stops it. */
  function probe(request: () => TransportRequest, succeeded: () => void): () => void {
    let socket: Transport | undefined;
    let timer: ReturnType<typeof setTimeout>;
    const stop = (): void => {
      clearTimeout(timer);
      socket?.close(CLOSE_NORMAL, 'probed');
    };
    const plan = (maxMs: number): void => {
      timer = setTimeout(
        () => {
          stop();
          socket = openSocket(request(), {
            opened() {},
            received() {
              stop();
              succeeded();
            },
            closed() {},
          });
          plan(Math.min(maxMs * PROBE_FACTOR, MAX_PROBE_MS));
        },
        maxMs * (0.5 + Math.random() / 2),
      );
    };
    plan(FIRST_PROBE_MS);
    return stop;
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
