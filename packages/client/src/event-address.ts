/** The addresses of server-sent events, beside that of the WebSocket (PROTOCOL.md section 10.1). */

/** The part before `/ws` or `/rooms/{room_id}/ws`, the room, and the query. */
const SOCKET = /^(https?:\/\/[^/?]+[^?]*?)(?:\/rooms\/([^/?]+))?\/ws(?:\?(.*))?$/i;

export interface EventAddress {
  readonly base: string;
  readonly room: string | undefined;
  readonly query: string | undefined;
}

/** `undefined` where the address of the WebSocket has another form, or the platform cannot read a response while it arrives. */
export function eventAddress(socketUrl: string): EventAddress | undefined {
  const [, base, room, query] = SOCKET.exec(socketUrl.replace(/^ws/i, 'http')) ?? [];
  if (base === undefined || typeof ReadableStream !== 'function') return undefined;
  return { base, room: room && decodeURIComponent(room), query };
}
