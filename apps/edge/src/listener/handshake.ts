/** Reads a request for a session: what admission judges. A repeated header is joined if HTTP defines it as a list, else refused. */
import { HubbubError } from '@hubbub/protocol';
import type { UpgradeRequest } from '../admission/admission.js';
import { readStreamRequest } from '../admission/stream-request.js';
import type { HttpRequest } from './engine.js';
import type { RoomRoute } from './room-paths.js';

export interface Handshake extends UpgradeRequest {
  /** A header that may occur only once, and occurs more often. */
  readonly repeatedHeader: string | undefined;
  /** `?errors=close`: a refusal is to come in a close frame. */
  readonly wantsClose: boolean;
}

const LIST = 'sec-websocket-protocol';
/** Of two, a proxy and an edge could each believe another one. */
const SINGLE: ReadonlySet<string> = new Set(['authorization', 'host', 'last-event-id', 'origin', 'sec-websocket-key']);
const NO_QUERY = new URLSearchParams();

/** @param address of the client @param route of the path; `undefined` for `/ws` */
export function readHandshake(request: HttpRequest, address: string, route: RoomRoute | undefined): Handshake {
  const single = new Map<string, string>();
  const offers: string[] = [];
  let repeatedHeader: string | undefined;
  // `getHeader` knows only the first of several.
  request.forEach((name, value) => {
    if (name === LIST) offers.push(value);
    if (!SINGLE.has(name)) return;
    if (single.has(name)) repeatedHeader = name;
    single.set(name, value);
  });
  // Not by name: for a parameter that the engine cannot decode, or without a value, it reports none.
  const text = request.getQuery();
  const query = text === '' ? NO_QUERY : new URLSearchParams(text);
  const place = route?.read(index => request.getParameter(index));
  const isPusher = route?.isPusher === true;
  const isStream = route?.isStream === true;
  const pathRoom = isPusher ? undefined : place?.room;
  return {
    address,
    authorization: single.get('authorization') ?? '',
    host: single.get('host') ?? '',
    origin: single.get('origin') ?? '',
    subprotocols: offers.join(','), // RFC 6455 section 11.3.4.
    queryToken: query.get('token') ?? undefined,
    queryRoomToken: query.get('room_token') ?? undefined,
    queryEpoch: query.get('epoch') ?? undefined,
    queryOffset: query.get('offset') ?? undefined,
    pusher: isPusher ? { key: place?.params.key ?? '', version: query.get('protocol') ?? undefined } : undefined,
    path: request.getUrl(),
    params: place?.params,
    pathRoom,
    stream: isStream ? readStreamRequest(query, pathRoom, single.get('last-event-id')) : undefined,
    repeatedHeader,
    wantsClose: isPusher || wantsClose(text),
  };
}

/** Whether the query asks for `?errors=close`. Without a query the engine gives `undefined`, against its types. */
export function wantsClose(query: string | undefined = ''): boolean {
  return query.includes('errors=close') && new URLSearchParams(query).get('errors') === 'close';
}

/** @throws {HubbubError} `INVALID_FORMAT` */
export function assertSingleHeaders({ repeatedHeader }: Handshake): void {
  if (repeatedHeader !== undefined) {
    throw new HubbubError('INVALID_FORMAT', `The request has the header ${repeatedHeader} twice; send it once.`);
  }
}
