/** Routes for operators: edges and their load, rooms, backlogs of events, and dead letters. */
import { API_OPERATIONS, HubbubError, isNamespace, ROOM_NAME_MAX_BYTES } from '@hubbub/protocol';
import { nodeState } from '@hubbub/protocol/account';
import { nextCursor, presencePage, text } from '@hubbub/protocol/http-fields';
import type { Route } from '@hubbub/runtime/http';
import type { DeadLetter } from '@hubbub/server';
import { z } from 'zod';
import { apiRoute, type RouteParts } from './api-route.js';
import { NODE_MAX_BYTES } from './messages.js';
import { askPresence } from './reads.js';

const namespace = z
  .string()
  .refine(isNamespace, { error: 'is not a namespace' })
  .describe('Such as `default` or `game`.');
const group = z
  .string()
  .regex(/^[A-Za-z0-9_.-]{1,64}$/, { error: 'expected 1 to 64 letters, digits, _ . -' })
  .describe('Group of services.');

const deadLetter = z.strictObject({
  letter_id: z.string(),
  type: z.string().optional().describe('Absent for an event that no service could read.'),
  room: z.string().optional(),
  user_id: z.string().optional(),
  attempts: z.int().min(0),
  reason: z.string(),
  at: z.string().describe('RFC 3339: when the group gave it up.'),
});

const lettersLimit = z.coerce.number().int().min(1).max(1000).default(100);
const letterId = z.string().regex(/^\d{1,20}-\d{1,20}$/, { error: 'expected a letter_id of the list' });

function letterFields({ letterId: letter_id, attempt, reason, buriedAtMs }: Omit<DeadLetter, 'event'>) {
  return { letter_id, attempts: attempt, reason, at: new Date(buriedAtMs).toISOString() };
}

function noLetter(): HubbubError {
  return new HubbubError('NOT_FOUND', 'There is no such dead letter, or it holds no event.');
}

export function operationRoutes({ hubbub, presence }: RouteParts): readonly Route[] {
  return [
    apiRoute({
      method: 'GET',
      operation: undefined,
      scope: 'open',
      path: '/key',
      operationId: 'describeKey',
      summary: 'Describe the key of the request',
      description: 'For pages that show only what the key allows.',
      failures: [],
      answer: z.strictObject({
        name: z.string(),
        operations: z.array(z.enum(API_OPERATIONS)),
        namespaces: z.array(z.string()).optional().describe('Absent: every namespace.'),
      }),
      async handle(_input, _idempotencyKey, { apiKey }) {
        const { name = '', operations = [], namespaces } = apiKey ?? {};
        return { name, operations: [...operations], ...(namespaces !== undefined && { namespaces: [...namespaces] }) };
      },
    }),
    apiRoute({
      method: 'GET',
      operation: 'read',
      path: '/nodes',
      operationId: 'listNodes',
      summary: 'List the edges with their load',
      description: 'Each edge is asked once, and answers within 2 s, or is listed without its load.',
      failures: [503],
      answer: z.strictObject({ nodes: z.array(nodeState) }),
      handle: async () => ({ nodes: [...(await hubbub.nodes())] }),
    }),
    apiRoute({
      method: 'POST',
      operation: 'control',
      path: '/nodes/drain',
      operationId: 'moveSessions',
      summary: 'Move a share of the sessions to other edges',
      description:
        'The edges stay in service: for the time after edges were added. Without `node`, every edge moves that share, over its drain window.',
      failures: [503],
      takes: z.strictObject({
        percent: z.int().min(1).max(100),
        node: text(NODE_MAX_BYTES).optional(),
      }),
      answer: z.strictObject({ nodes: z.array(z.string()).describe('The edges that were asked.') }),
      handle: async ({ percent, node }) => ({
        nodes: [...(await hubbub.moveSessions({ percent, ...(node !== undefined && { node }) }))],
      }),
    }),
    apiRoute({
      method: 'GET',
      operation: 'read',
      path: '/rooms',
      operationId: 'listRooms',
      summary: 'List the rooms with at least one user',
      description: 'Presence answers it.',
      failures: [503],
      takes: z.strictObject({
        ...presencePage,
        prefix: z
          .string()
          .max(ROOM_NAME_MAX_BYTES)
          .optional()
          .describe('Only rooms whose names begin with this, such as `chat:`.'),
        min_count: z.coerce.number().int().min(0).default(0).describe('Only rooms with at least that many users.'),
      }),
      answer: z.strictObject({
        rooms: z.array(z.strictObject({ room_id: z.string(), count: z.int().min(0), version: z.int().min(0) })),
        next: nextCursor,
      }),
      async handle({ limit, cursor, prefix, min_count: minCount }) {
        const query = {
          ...{ limit, minCount },
          ...(cursor !== undefined && { cursor }),
          ...(prefix !== undefined && prefix !== '' && { prefix }),
        };
        const { rooms, next } = await askPresence(presence, queries => queries.rooms(query));
        return { rooms: [...rooms], ...(next !== undefined && { next }) };
      },
    }),
    apiRoute({
      method: 'GET',
      operation: 'read',
      path: '/events',
      operationId: 'listEventBacklogs',
      summary: 'List the client events that wait for services',
      failures: [503],
      answer: z.strictObject({
        namespaces: z.array(
          z.strictObject({
            namespace: z.string(),
            length: z.int().min(0).describe('Events in the log; some may be done.'),
            groups: z.array(z.strictObject({ group: z.string(), waiting: z.int().min(0) })),
          }),
        ),
      }),
      async handle() {
        const backlogs = await hubbub.eventBacklogs();
        return { namespaces: backlogs.map(({ groups, ...rest }) => ({ ...rest, groups: [...groups] })) };
      },
    }),
    apiRoute({
      method: 'GET',
      operation: 'read',
      path: '/events/{namespace}/{group}/dead_letters',
      operationId: 'listDeadLetters',
      summary: 'List the events that a group gave up',
      description: 'Oldest first, without payloads.',
      failures: [503],
      takes: z.strictObject({ namespace, group, limit: lettersLimit }),
      answer: z.strictObject({ dead_letters: z.array(deadLetter) }),
      async handle({ namespace: name, group: ofGroup, limit }) {
        const letters = await hubbub.deadLetters(name, ofGroup, limit);
        return {
          dead_letters: letters.map(({ event, ...letter }) => ({
            ...letterFields(letter),
            ...(event !== undefined && { type: event.type, user_id: event.user.id }),
            ...(event?.room !== undefined && { room: event.room }),
          })),
        };
      },
    }),
    apiRoute({
      method: 'POST',
      operation: 'dead_letters',
      path: '/events/{namespace}/{group}/dead_letters/{letter_id}/replay',
      operationId: 'replayDeadLetter',
      summary: 'Give an event to its group again',
      description: 'The group handles it after the events that wait, with new attempts; other groups do not get it.',
      failures: [503],
      takes: z.strictObject({ namespace, group, letter_id: letterId }),
      answer: z.strictObject({ letter_id: z.string() }),
      async handle({ namespace: name, group: ofGroup, letter_id }) {
        if (await hubbub.replayDeadLetter(name, ofGroup, letter_id)) return { letter_id };
        throw noLetter();
      },
    }),
    apiRoute({
      method: 'GET',
      operation: 'read',
      path: '/lifecycle/{group}/dead_letters',
      operationId: 'listLifecycleDeadLetters',
      summary: 'List the lifecycle events that a group gave up',
      description: 'Oldest first.',
      failures: [503],
      takes: z.strictObject({ group, limit: lettersLimit }),
      answer: z.strictObject({ dead_letters: z.array(deadLetter) }),
      async handle({ group: ofGroup, limit }) {
        const letters = await hubbub.lifecycleDeadLetters(ofGroup, limit);
        return {
          dead_letters: letters.map(({ event, ...letter }) => ({
            ...letterFields(letter),
            ...(event !== undefined && { type: event.event }),
            ...(event !== undefined && 'user' in event && { user_id: event.user }),
            ...(event !== undefined && 'room' in event && { room: event.room }),
          })),
        };
      },
    }),
    apiRoute({
      method: 'POST',
      operation: 'dead_letters',
      path: '/lifecycle/{group}/dead_letters/{letter_id}/replay',
      operationId: 'replayLifecycleDeadLetter',
      summary: 'Give a lifecycle event to its group again',
      description: 'With new attempts; other groups do not get it. It is about the past: compare its time.',
      failures: [503],
      takes: z.strictObject({ group, letter_id: letterId }),
      answer: z.strictObject({ letter_id: z.string() }),
      async handle({ group: ofGroup, letter_id }) {
        if (await hubbub.replayLifecycleDeadLetter(ofGroup, letter_id)) return { letter_id };
        throw noLetter();
      },
    }),
  ];
}
