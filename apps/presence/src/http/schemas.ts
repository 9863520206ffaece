/** What presence answers over HTTP, as schemas: the description is made of them, and the tests hold the answers to them. */
import { z } from 'zod';

const session = z.strictObject({
  session_id: z.string().describe('Unique in the cluster.'),
  node: z.string().describe('The edge that holds it.'),
});

const next = z.string().optional().describe('There is more: ask again with `cursor` set to this.');

export const onlineSchema = z.strictObject({
  online: z.int().min(0).describe('Users online in the whole cluster; at most about two seconds old.'),
});

export const nodesSchema = z.strictObject({
  nodes: z.array(
    z.strictObject({
      node: z.string(),
      incarnation: z.string().describe('Another one after each time the edge was believed dead.'),
      lease_expires_in_ms: z.int().describe('Negative when it is overdue.'),
    }),
  ),
});

export const roomsSchema = z.strictObject({
  rooms: z.array(
    z.strictObject({
      room_id: z.string(),
      count: z.int().min(0).describe('Users in the room.'),
      version: z.int().min(0).describe('Counts the changes of its roster.'),
    }),
  ),
  next,
});

export const rosterSchema = z.strictObject({
  room_id: z.string(),
  count: z.int().min(0).describe('Users in the room, exact; 0 for a room that nobody is in.'),
  version: z.int().min(0),
  users: z.array(
    z.strictObject({
      id: z.string(),
      name: z.string(),
      online: z.boolean().describe('False for members that are kept while they are away.'),
      last_seen: z.string().optional().describe('RFC 3339; when the last connection of a member that is away ended.'),
      status: z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
      sessions: z.array(session).describe('Empty while the grace of a dropped connection runs.'),
    }),
  ),
  next,
});

export const userSchema = z.strictObject({
  id: z.string(),
  online: z.boolean(),
  sessions: z.array(session.extend({ rooms: z.array(z.string()) })),
});

export const errorSchema = z.strictObject({ code: z.string(), message: z.string() });
