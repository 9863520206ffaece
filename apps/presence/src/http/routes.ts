/** The routes of presence's HTTP interface: each with what it takes, what it answers, and how it is described. */
import type { NodeLeases, OnlineCounter } from '@hubbub/broker';
import { nodeOf } from '@hubbub/protocol';
import type { z } from 'zod';
import type { RegistryReader, SessionView } from '../registry-reader.js';
import { noQuery, parseQuery, parseRoom, parseUser, roomsQuery, rosterQuery } from './queries.js';
import { nodesSchema, onlineSchema, roomsSchema, rosterSchema, userSchema } from './schemas.js';

export interface RouteParts {
  readonly registry: RegistryReader;
  readonly onlineCounter: OnlineCounter;
  readonly nodeLeases: NodeLeases;
}

export interface Route {
  /** OpenAPI's form; a parameter is one path segment. */
  readonly path: string;
  readonly summary: string;
  readonly query: z.ZodObject;
  readonly answer: z.ZodType;
  /** @throws {HubbubError} */
  handle(parts: RouteParts, query: URLSearchParams, parameter: string): Promise<unknown>;
}

export const ROUTES: readonly Route[] = [
  {
    path: '/online',
    summary: 'How many users are online',
    query: noQuery,
    answer: onlineSchema,
    handle: async ({ onlineCounter }) => ({ online: await onlineCounter.total() }),
  },
  {
    path: '/nodes',
    summary: 'The edges that are alive',
    query: noQuery,
    answer: nodesSchema,
    async handle({ nodeLeases }) {
      const nodes = (await nodeLeases.living()).map(({ incarnation, expiresInMs }) => ({
        node: nodeOf(incarnation),
        incarnation,
        lease_expires_in_ms: Math.round(expiresInMs),
      }));
      return { nodes };
    },
  },
  {
    path: '/rooms',
    summary: 'Rooms with somebody in them',
    query: roomsQuery,
    answer: roomsSchema,
    async handle({ registry }, parameters) {
      const { limit, cursor, prefix, min_count } = parseQuery(roomsQuery, parameters);
      const page = await registry.rooms({ limit, ...optional({ cursor, prefix }) });
      const rooms = page.rooms
        .filter(({ users }) => users >= min_count)
        .map(({ room, users, version }) => ({ room_id: room, count: users, version }));
      return { rooms, ...optional({ next: page.next }) };
    },
  },
  {
    path: '/rooms/{room_id}/roster',
    summary: 'Who is in a room',
    query: rosterQuery,
    answer: rosterSchema,
    async handle({ registry }, parameters, room) {
      const { limit, cursor, online } = parseQuery(rosterQuery, parameters);
      const roster = await registry.roster(parseRoom(room), { limit, ...optional({ cursor }) });
      const users = roster.entries
        .filter(entry => online === undefined || entry.online === (online === 'true'))
        .map(entry => ({ ...entry, sessions: entry.sessions.map(sessionOf) }));
      const { users: count, version, next } = roster;
      return { room_id: room, count, version, users, ...optional({ next }) };
    },
  },
  {
    path: '/users/{user_id}',
    summary: 'Where a user is: sessions, edges, rooms',
    query: noQuery,
    answer: userSchema,
    async handle({ registry }, _parameters, id) {
      const { online, sessions } = await registry.user(parseUser(id));
      return { id, online, sessions: sessions.map(view => ({ ...sessionOf(view), rooms: view.rooms })) };
    },
  },
];

function sessionOf({ session, node }: SessionView): { session_id: string; node: string } {
  return { session_id: session, node };
}

/** Without the fields that are absent. */
function optional<T extends Record<string, string | undefined>>(fields: T): { [K in keyof T]?: string } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: string;
  };
}
