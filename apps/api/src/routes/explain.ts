/** Routes that explain what happened to a user, a session or a room: each edge is asked once for its account. */
import { explanation, sessionId } from '@hubbub/protocol/account';
import { roomId, userId } from '@hubbub/protocol/http-fields';
import type { Route } from '@hubbub/runtime/http';
import { z } from 'zod';
import { apiRoute, type RouteParts } from './api-route.js';

const description =
  'Admissions and refusals with reason, joins, exceeded limits, recoveries and gaps, and how sessions ended, of every edge. No payloads. An edge that does not answer within 2 s is listed. For support, not for each request: edges limit the questions.';
const common = { method: 'GET', operation: 'explain', description, failures: [503], answer: explanation } as const;

export function explainRoutes({ hubbub: { explain } }: RouteParts): readonly Route[] {
  return [
    apiRoute({
      ...common,
      path: '/explain',
      operationId: 'explain',
      summary: 'Explain what happened to the user, the session and the room of a name',
      takes: z.strictObject({ name: sessionId }),
      handle: ({ name }) => explain({ name }),
    }),
    apiRoute({
      ...common,
      path: '/explain/users/{user_id}',
      operationId: 'explainUser',
      summary: 'Explain what happened to a user',
      takes: z.strictObject({ user_id: userId }),
      handle: ({ user_id: user }) => explain({ user }),
    }),
    apiRoute({
      ...common,
      path: '/explain/sessions/{session_id}',
      operationId: 'explainSession',
      summary: 'Explain what happened to a session',
      takes: z.strictObject({ session_id: sessionId }),
      handle: ({ session_id: session }) => explain({ session }),
    }),
    apiRoute({
      ...common,
      path: '/explain/rooms/{room_id}',
      operationId: 'explainRoom',
      summary: 'Explain what happened to a room',
      takes: z.strictObject({ room_id: roomId }),
      handle: ({ room_id: room }) => explain({ room }),
    }),
  ];
}
