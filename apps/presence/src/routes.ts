/** Presence's HTTP interface: rooms, rosters, users, the online count and the edges, as of the last commit. */
import type { NodeLeases, OnlineCounter } from '@hubbub/broker';
import { isRoomName, nodeOf } from '@hubbub/protocol';
import {
  nextCursor,
  onlineAnswer,
  presencePage,
  roomId,
  rosterAnswer,
  userAnswer,
  userId,
} from '@hubbub/protocol/http-fields';
import { type AdminRoutes, describedRoutes, type Route, route, unlimitedKey } from '@hubbub/runtime/http';
import { z } from 'zod';
import type { RegistryReader, SessionView } from './registry-reader.js';

export interface PresenceHttpOptions {
  readonly registry: RegistryReader;
  readonly onlineCounter: OnlineCounter;
  readonly nodeLeases: NodeLeases;
  /** Empty: every request is answered 401. */
  readonly apiKeys: readonly string[];
}

const common = { method: 'GET', operation: 'read', failures: [400, 401, 503] } as const;

/** @example startAdminServer({ ..., routes: presenceRoutes({ registry, onlineCounter, nodeLeases, apiKeys }) }); */
export function presenceRoutes(options: PresenceHttpOptions): AdminRoutes {
  return describedRoutes({
    title: 'Hubbub presence',
    description: 'Users in a room, rooms of a user, and the online count, as of the last commit.',
    apiKeys: options.apiKeys.map((key, index) => unlimitedKey(`key-${index + 1}`, key)),
    apiKeysSetting: 'HUBBUB_PRESENCE_API_KEYS',
    fieldCodes: { room_id: 'INVALID_ROOM' },
    routes: routesOf(options),
  });
}

function routesOf({ registry, onlineCounter, nodeLeases }: PresenceHttpOptions): readonly Route[] {
  return [
    route({
      ...common,
      path: '/online',
      operationId: 'online',
      summary: 'How many users are online',
      answer: onlineAnswer,
      handle: async () => ({ online: await onlineCounter.total() }),
    }),
    route({
      ...common,
      path: '/nodes',
      operationId: 'nodes',
      summary: 'The live edges',
      answer: z.strictObject({
        nodes: z.array(
          z.strictObject({
            node: z.string(),
            incarnation: z.string().describe('A new one each time after the edge was declared dead.'),
            lease_expires_in_ms: z.int().describe('Negative when it is overdue.'),
          }),
        ),
      }),
      async handle() {
        const nodes = (await nodeLeases.living()).map(({ incarnation, expiresInMs }) => ({
          node: nodeOf(incarnation),
          incarnation,
          lease_expires_in_ms: Math.round(expiresInMs),
        }));
        return { nodes };
      },
    }),
    route({
      ...common,
      path: '/rooms',
      operationId: 'rooms',
      summary: 'Rooms with at least one user',
      takes: z.strictObject({
        ...presencePage,
        prefix: z
          .string()
          .refine(isRoomName, 'is not the beginning of a room name')
          .optional()
          .describe('Only rooms whose names begin with this; `chat:` is the namespace chat.'),
        min_count: z.coerce.number().int().min(0).default(0).describe('Only rooms with at least that many users.'),
      }),
      answer: z.strictObject({
        rooms: z.array(
          z.strictObject({
            room_id: z.string(),
            count: z.int().min(0).describe('Users in the room.'),
            version: z.int().min(0).describe('Counts the changes of its roster.'),
          }),
        ),
        next: nextCursor,
      }),
      async handle({ min_count, ...query }) {
        const page = await registry.rooms(query);
        const rooms = page.rooms
          .filter(({ users }) => users >= min_count)
          .map(({ room, users, version }) => ({ room_id: room, count: users, version }));
        return { rooms, next: page.next };
      },
    }),
    route({
      ...common,
      path: '/rooms/{room_id}/roster',
      operationId: 'rooms_room_id_roster',
      summary: 'The members of a room',
      takes: z.strictObject({
        room_id: roomId,
        ...presencePage,
        online: z.enum(['true', 'false']).optional().describe('Only members that are online, or only absent ones.'),
      }),
      answer: rosterAnswer,
      async handle({ room_id, online, ...query }) {
        const { entries, users: count, version, next } = await registry.roster(room_id, query);
        const users = entries
          .filter(entry => online === undefined || entry.online === (online === 'true'))
          .map(entry => ({ ...entry, sessions: entry.sessions.map(sessionOf) }));
        return { room_id, count, version, users, next };
      },
    }),
    route({
      ...common,
      path: '/users/{user_id}',
      operationId: 'users_user_id',
      summary: 'Where a user is: sessions, edges, rooms',
      takes: z.strictObject({ user_id: userId }),
      answer: userAnswer,
      async handle({ user_id: id }) {
        const { online, sessions } = await registry.user(id);
        return { id, online, sessions: sessions.map(view => ({ ...sessionOf(view), rooms: [...view.rooms] })) };
      },
    }),
  ];
}

function sessionOf({ session, node }: SessionView): { session_id: string; node: string } {
  return { session_id: session, node };
}
