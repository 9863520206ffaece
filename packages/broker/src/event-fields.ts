/** A client event as the text fields of docs/redis-contract.md, and back. */
import {
  type ClientEvent,
  isPlainObject,
  type Payload,
  type Sender,
  sampledTraceparent,
  toJsonText,
} from '@hubbub/protocol';

/** Field, value, field, value, …: as a Redis stream takes them. */
export function eventFields(event: ClientEvent): string[] {
  const { type, room, id, payload, user, session, rooms, atMs, traceparent } = event;
  return [
    ...['type', type],
    ...(room === undefined ? [] : ['room', room]),
    ...['id', id],
    ...['payload', toJsonText(payload)],
    ...['user', JSON.stringify({ id: user.id, name: user.name })],
    ...['session', session.id, 'node', session.node],
    ...['rooms', JSON.stringify(rooms)],
    ...['at', String(atMs)],
    ...(traceparent === undefined ? [] : ['traceparent', traceparent]),
  ];
}

/** The first value of each field: later fields cannot overwrite earlier ones. */
export function fieldMap(fields: readonly string[]): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const [name, value] = [fields[i] ?? '', fields[i + 1] ?? ''];
    if (!map.has(name)) map.set(name, value);
  }
  return map;
}

/** `undefined` where any program wrote something else. Unknown fields are ignored. */
export function parseEventFields(fields: ReadonlyMap<string, string>): ClientEvent | undefined {
  const [type, id] = [fields.get('type'), fields.get('id')];
  const [session, node] = [fields.get('session'), fields.get('node')];
  const payload = parsePayload(fields.get('payload'));
  const user = parseUser(fields.get('user'));
  const rooms = parseRooms(fields.get('rooms'));
  const atMs = Number(fields.get('at') || Number.NaN);
  if (!type || !id || !session || !node) return undefined;
  if (payload === undefined || user === undefined || rooms === undefined || !Number.isSafeInteger(atMs))
    return undefined;
  const room = fields.get('room');
  // A wrong one is ignored, as everywhere.
  const traceparent = sampledTraceparent(fields.get('traceparent'));
  return {
    ...{ type, ...(room !== undefined && { room }), id, payload, user },
    ...{ session: { id: session, node }, rooms, atMs },
    ...(traceparent !== undefined && { traceparent }),
  };
}

function parsePayload(text: string | undefined): Payload | undefined {
  const value = parseJson(text);
  return isPlainObject(value) ? value : undefined;
}

function parseUser(text: string | undefined): Sender | undefined {
  const value = parseJson(text);
  if (!isPlainObject(value)) return undefined;
  const { id, name } = value;
  return typeof id === 'string' && typeof name === 'string' ? { id, name } : undefined;
}

function parseRooms(text: string | undefined): readonly string[] | undefined {
  const value = parseJson(text);
  return Array.isArray(value) && value.every(room => typeof room === 'string') ? value : undefined;
}

function parseJson(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Malformed: the caller reports it.
  }
}
