/** The HTTP interface: makes projects, attendees and sessions, gives tokens, closes sessions. */
import type { TokenMint } from '@hubbub/server';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { HttpProblem, type Project, type Projects } from './projects.js';
import type { PairwiseSession } from './session-document.js';

const text = (max: number) => z.string().trim().min(1).max(max);
const id = z.string().regex(/^[0-9a-f]{12}$/);
const projectPath = z.object({ project: id });
const sessionPath = z.object({ project: id, session: id });
const attendeePath = z.object({ project: id, session: id, attendee: id });
const newProject = z.strictObject({ name: text(80) });
const newAttendee = z.strictObject({ name: text(40) });
const newSession = z.strictObject({
  name: text(80),
  features: z
    .array(z.strictObject({ name: text(60), description: z.string().trim().max(200).default('') }))
    .min(2)
    .max(6),
});
const invitation = z.strictObject({ key: z.string().min(1).max(64) });

/** Opens no room by itself: the authorizer is asked about each. */
const RIGHTS = { 'pairwise:*': ['join', 'event', 'presence', 'history'] } as const;

export interface RoutesParts {
  readonly http: FastifyInstance;
  readonly projects: Projects;
  readonly mint: TokenMint;
  /** Ends a session for everybody in it; may be repeated. */
  readonly close: (project: Project, session: PairwiseSession) => Promise<void>;
}

export function addRoutes({ http, projects, mint, close }: RoutesParts): void {
  http.post('/api/projects', async (request, reply) => {
    const { name } = newProject.parse(request.body);
    const { project_id, key } = await projects.create(name);
    return reply.code(201).send({ project_id, name, key });
  });

  http.post('/api/projects/:project/attendees', async (request, reply) => {
    const { project } = projectPath.parse(request.params);
    await projects.managed(project, bearer(request));
    const { name } = newAttendee.parse(request.body);
    return reply.code(201).send({ ...(await projects.addAttendee(project, name)), name });
  });

  http.post('/api/projects/:project/sessions', async (request, reply) => {
    const { project } = projectPath.parse(request.params);
    await projects.managed(project, bearer(request));
    const { session_id, name, features, comparisons } = await projects.addSession(
      project,
      newSession.parse(request.body),
    );
    return reply.code(201).send({ session_id, name, features, total_comparisons: comparisons.length });
  });

  http.post('/api/projects/:project/sessions/:session/close', async request => {
    const path = sessionPath.parse(request.params);
    const project = await projects.managed(path.project, bearer(request));
    const session = await projects.changeSession(path.project, path.session, open => ({ ...open, status: 'closed' }));
    if (session === undefined) throw new HttpProblem(404, 'There is no such session.');
    await close(project, session);
    return { session_id: session.session_id, status: session.status };
  });

  http.post('/api/projects/:project/sessions/:session/attendees/:attendee/token', async request => {
    const { project, session, attendee } = attendeePath.parse(request.params);
    const { key } = invitation.parse(request.body);
    const { name, title } = await projects.invited(project, session, attendee, key);
    return { token: mint.session({ user: attendee, name, rooms: RIGHTS }), title };
  });
}

function bearer({ headers }: FastifyRequest): string | undefined {
  return /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1];
}
