/** What the edges ask before an upgrade and a join (docs/authorizer.md): does all that the path names belong together? */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { HttpProblem, type Projects } from './projects.js';
import { idsOf } from './session-document.js';

/** Between edges and service; as public as the secret of the examples' tokens. */
export const AUTHORIZER_KEY = 'the-key-of-the-pairwise-authorizer-which-everybody-knows';

const question = z.object({
  action: z.enum(['connect', 'join']),
  user: z.object({ id: z.string() }),
  room: z.string().optional(),
  /** Of a room path; `/rooms/{room_id}/ws` has others. */
  params: z.object({ attendee: z.string().optional() }).optional(),
});

/** Answers are not cached: a closed session admits nobody from that moment on. */
const ASK_AGAIN = { ttl_ms: 0 };

export function addAuthorizer(http: FastifyInstance, projects: Projects): void {
  http.post('/authorize', async request => {
    if (request.headers.authorization !== `Bearer ${AUTHORIZER_KEY}`) throw new HttpProblem(403, 'not an edge');
    const { action, user, room, params } = question.parse(request.body);
    const ids = idsOf(room);
    const isOwnPath = action === 'join' || params?.attendee === user.id;
    if (isOwnPath && ids !== undefined && (await projects.admits(ids.projectId, ids.sessionId, user.id))) {
      return { allow: true, ...ASK_AGAIN };
    }
    const reason = 'Attendee, project and session do not belong together, or the session is not active.';
    return { allow: false, reason, ...(action === 'connect' && { unauthorized: true }), ...ASK_AGAIN };
  });
}
