/** The content of a request for server-sent events (PROTOCOL.md section 10.1). */
import type { Position } from '@hubbub/protocol';
import type { Grant } from './rights.js';

/** A room of a request, and the room token behind it. */
export interface RequestedRoom {
  readonly room: string;
  readonly token: string | undefined;
}

/** A request for events, as its URL and headers have it. */
export interface StreamRequest {
  readonly rooms: readonly RequestedRoom[];
  /** Empty where the reader has none. */
  readonly lastEventId: string;
  readonly wantsPresence: boolean;
}

/** A room of a reader that was admitted. */
export interface StreamRoom {
  readonly room: string;
  readonly since: Position | undefined;
  readonly grant: Grant | undefined;
}

/**
 * Reads the query of a request for events.
 * @param pathRoom the room of the path, which comes first; `undefined` where the path has none
 * @param lastEventId the header, which is newer than the query of an `EventSource` that reconnects
 */
export function readStreamRequest(
  query: URLSearchParams,
  pathRoom: string | undefined,
  lastEventId: string | undefined,
): StreamRequest {
  const rooms: { room: string; token: string | undefined }[] = [];
  if (pathRoom !== undefined) rooms.push({ room: pathRoom, token: undefined });
  for (const [name, value] of query) {
    const last = rooms.at(-1);
    if (name === 'room') rooms.push({ room: value, token: undefined });
    else if (name === 'room_token' && last !== undefined) last.token = value;
  }
  return {
    rooms,
    lastEventId: lastEventId ?? query.get('last_event_id') ?? '',
    wantsPresence: query.get('presence') === 'true',
  };
}
