/** Paths that open a session in a room: the one that every edge has, and those of the configuration (PROTOCOL.md section 1). */

import type { RoomPath } from '@hubbub/config';
import { isRoomName } from '@hubbub/protocol';

/** The meaning of a request's path. */
export interface PathPlace {
  /** By the names of the path's template, escapes decoded; empty where an escape is broken. */
  readonly params: Readonly<Record<string, string>>;
  /** Empty where the path names none; `undefined` where it is not of one room. */
  readonly room: string | undefined;
}

export interface RoomRoute {
  /** As the engine's router wants it, such as `/rooms/:room_id/ws`; below the base path. */
  readonly pattern: string;
  /** Its connections speak the Pusher protocol, and name the key of an app. */
  readonly isPusher?: true;
  /** Its answers are server-sent events. */
  readonly isStream?: true;
  /** @param parameterAt the undecoded segment of the parameter at this place of the path */
  read(parameterAt: (index: number) => string | undefined): PathPlace;
}

/** The path of connections of the Pusher protocol. */
export const PUSHER_ROUTE: RoomRoute = {
  pattern: '/app/:key',
  isPusher: true,
  read: parameterAt => ({ params: { key: decode(parameterAt(0)) }, room: '' }),
};

/** The path of server-sent events of rooms that the query names. */
export const EVENTS_ROUTE: RoomRoute = {
  pattern: '/events',
  isStream: true,
  read: () => ({ params: {}, room: undefined }),
};

/** The paths of server-sent events: those of rooms, with another end. */
export function eventRoutes(roomPaths: readonly RoomPath[]): RoomRoute[] {
  return routesWithEnd(roomPaths, '/events').map(route => ({ ...route, isStream: true }));
}

/** The paths that publish a message: those of rooms, with another end. */
export function messageRoutes(roomPaths: readonly RoomPath[]): RoomRoute[] {
  return routesWithEnd(roomPaths, '/messages');
}

function routesWithEnd(roomPaths: readonly RoomPath[], end: string): RoomRoute[] {
  return roomRoutes(roomPaths)
    .filter(({ pattern }) => pattern.endsWith(ROOM_END))
    .map(route => ({ ...route, pattern: `${route.pattern.slice(0, -ROOM_END.length)}${end}` }));
}

const ROOM_END = '/ws';
const ROOMS: RoomPath = { path: '/rooms/{room_id}/ws', names: ['room_id'], room: [{ name: 'room_id' }] };

/** Templates of all paths that name a room, for people. */
export function roomPathTemplates(roomPaths: readonly RoomPath[]): string[] {
  return [ROOMS, ...roomPaths].map(({ path }) => path);
}

export function roomRoutes(roomPaths: readonly RoomPath[]): RoomRoute[] {
  return [ROOMS, ...roomPaths].map(roomPath => ({
    pattern: roomPath.path.replace(/\{([^}]*)\}/g, ':$1'),
    read(parameterAt) {
      const params = Object.fromEntries(roomPath.names.map((name, at) => [name, decode(parameterAt(at))]));
      const isPlace = !Object.values(params).some(isDotSegment);
      return { params, room: isPlace ? roomOf(roomPath, params) : '' };
    },
  }));
}

/**
 * A value ends at the character that follows it in the template. Two different paths therefore never name one room: the
 * project `a.b` is not the session `b` of the project `a`.
 */
function roomOf({ room: parts }: RoomPath, params: PathPlace['params']): string {
  let room = '';
  for (const [at, part] of parts.entries()) {
    const value = 'text' in part ? part.text : (params[part.name] ?? '');
    const next = parts[at + 1];
    const end = 'name' in part && next !== undefined && 'text' in next ? next.text.charAt(0) : undefined;
    if (value === '' || (end !== undefined && value.includes(end))) return '';
    room += value;
  }
  return isRoomName(room) ? room : '';
}

/** An authorizer that puts the value into a path of its own would ask for something else. */
function isDotSegment(value: string): boolean {
  return value === '.' || value === '..';
}

function decode(segment: string | undefined): string {
  try {
    return decodeURIComponent(segment ?? '');
  } catch {
    return ''; // A broken escape: of no meaning.
  }
}
