/** Knows whose connection a request came on, and counts connections that have sent none. */
import type { ConnectionGate } from '../limits/connection-gate.js';
import { type IpAddress, peerAddress } from '../limits/limit-key.js';
import type { LimitMetrics } from '../limits/limit-metrics.js';
import type { ClientAddresses } from './client-address.js';
import type { HttpRequest, HttpResponse, TemplatedApp } from './engine.js';

export interface ConnectionWatchOptions {
  readonly addresses: ClientAddresses;
  readonly gate: ConnectionGate;
  readonly limitMetrics: LimitMetrics;
}

/**
 * Counts connections that have sent no whole request. The engine ends each of them 10 to 14 seconds after it came, also one
 * that drips bytes. It answers too large headers with 431.
 */
export function watchConnections(app: TemplatedApp, { addresses, gate, limitMetrics }: ConnectionWatchOptions): void {
  const watch = (response: HttpResponse, change: unknown): void => {
    if (change !== 1) {
      gate.ended(); // The engine does not name the connection here: `onAborted` does.
      return;
    }
    if (!gate.accepted()) {
      response.close();
      return;
    }
    const peer = peerOf(response);
    if (addresses.isProxy(peer)) return;
    if (!gate.connected(peer.group)) {
      response.close();
      return;
    }
    // The first request takes the place of this handler: from then on `clientOf` has counted it.
    response.onAborted(() => {
      gate.heard(peer.group);
      limitMetrics.endedUnheard();
    });
  };
  app.filter(watch);
}

/**
 * The address of a request; `undefined` if the connection is gone already, and ended. Called once for each request: the
 * connection then counts as one that has sent a request.
 */
export function clientOf(
  response: HttpResponse,
  request: HttpRequest,
  { addresses, gate }: Pick<ConnectionWatchOptions, 'addresses' | 'gate'>,
): IpAddress | undefined {
  const peer = peerOf(response);
  if (peer.text === '') {
    // The system has forgotten the address; `watchConnections` has it, and sees the end.
    response.close();
    return undefined;
  }
  if (!addresses.isProxy(peer)) gate.heard(peer.group);
  return addresses.clientOf(peer, () => {
    // A proxy may add a header of its own below the one that the client sent; `getHeader` has only the first.
    const values: string[] = [];
    request.forEach((name, value) => {
      if (name === 'x-forwarded-for') values.push(value);
    });
    return values.join(',');
  });
}

function peerOf(response: HttpResponse): IpAddress {
  return peerAddress(Buffer.from(response.getRemoteAddressAsText()).toString('latin1'));
}
