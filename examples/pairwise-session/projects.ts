/** Projects with their attendees and sessions, over HTTP: creates them, and decides who may enter which session. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { TokenMint } from '@hubbub/server';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { HttpProblem } from '../service/example.js';
import type { Documents } from '../state/documents.js';
import { newSession, type PairwiseSession, snapshotFor } from './rules.js';

export type Project = {
  readonly project_id: string;
  readonly name: string;
  /** The key for managing the project. */
  readonly key: string;
  readonly attendees: Readonly<Record<string, { readonly name: string; readonly key: string }>>;
  readonly session_ids: readonly string[];
};

export interface SessionIds {
  readonly project: string;
  readonly session: string;
}

const ATTENDEES_MAX = 30;
const SESSIONS_MAX = 50;

/** Between edges and service; as public as the secret of the examples' tokens. */
export const AUTHORIZER_KEY = 'the-key-of-the-pairwise-authorizer-which-everybody-knows';

/** The token alone opens no room: the edges ask the authorizer about each. */
const RIGHTS = { 'pairwise:*': ['join', 'event', 'presence', 'history'] } as const;

const text = (max: number) => z.string().trim().min(1).max(max);
const id = z.string().regex(/^[0-9a-f]{12}$/);
const projectPath = z.object({ project: id });
const sessionPath = projectPath.extend({ session: id });
const attendeePath = sessionPath.extend({ attendee: id });
const projectBody = z.strictObject({ name: text(80) });
const attendeeBody = z.strictObject({ name: text(40) });
const feature = z.strictObject({ name: text(60), description: z.string().trim().max(200).default('') });
const sessionBody = z.strictObject({ name: text(80), features: z.array(feature).min(2).max(6) });
const invitation = z.strictObject({ key: z.string().min(1).max(64) });
const question = z.object({
  action: z.enum(['connect', 'join']),
  user: z.object({ id: z.string() }),
  room: z.string().optional(),
  /** Of a room path; `/rooms/{room_id}/ws` has others. */
  params: z.object({ attendee: z.string().optional() }).optional(),
});

export class Projects {
  readonly #documents: Documents;

  constructor(documents: Documents) {
    this.#documents = documents;
  }

  /** @param close notifies and disconnects everybody in a closed session; may be repeated */
  addRoutes(
    http: FastifyInstance,
    mint: TokenMint,
    close: (project: Project, session: PairwiseSession) => Promise<void>,
  ): void {
    http.post('/api/projects', async (request, reply) => {
      const { name } = projectBody.parse(request.body);
      const project = { project_id: newId(), name, key: newKey(), attendees: {}, session_ids: [] };
      await this.#documents.update<Project>(projectKey(project.project_id), () => project);
      return reply.code(201).send({ project_id: project.project_id, name, key: project.key });
    });

    http.post('/api/projects/:project/attendees', async (request, reply) => {
      const { project } = projectPath.parse(request.params);
      await this.#managed(project, request);
      const attendee = { ...attendeeBody.parse(request.body), key: newKey() };
      const attendee_id = newId();
      await this.#change(project, known => {
        if (Object.keys(known.attendees).length >= ATTENDEES_MAX) throw new HttpProblem(409, 'too many attendees');
        return { ...known, attendees: { ...known.attendees, [attendee_id]: attendee } };
      });
      return reply.code(201).send({ attendee_id, ...attendee });
    });

    http.post('/api/projects/:project/sessions', async (request, reply) => {
      const { project } = projectPath.parse(request.params);
      await this.#managed(project, request);
      const session_id = newId();
      const session = newSession({ project_id: project, session_id, ...sessionBody.parse(request.body) });
      await this.#documents.update<PairwiseSession>(sessionKey({ project, session: session_id }), () => session);
      await this.#change(project, known => {
        if (known.session_ids.length >= SESSIONS_MAX) throw new HttpProblem(409, 'too many sessions');
        return { ...known, session_ids: [...known.session_ids.filter(each => each !== session_id), session_id] };
      });
      const { name, features, comparisons } = session;
      return reply.code(201).send({ session_id, name, features, total_comparisons: comparisons.length });
    });

    http.post('/api/projects/:project/sessions/:session/close', async request => {
      const ids = sessionPath.parse(request.params);
      const project = await this.#managed(ids.project, request);
      const session = await this.changeSession(ids, open => ({ ...open, status: 'closed' }));
      if (session === undefined) throw new HttpProblem(404, 'There is no such session.');
      await close(project, session);
      return { session_id: session.session_id, status: session.status };
    });

    http.post('/api/projects/:project/sessions/:session/attendees/:attendee/token', async request => {
      const { attendee, name, session } = await this.#invited(request);
      if (session.status !== 'active') throw new HttpProblem(409, 'This session is closed.');
      return { token: mint.session({ user: attendee, name, rooms: RIGHTS }), title: session.name };
    });

    // The state that `join_session` returns, also after the end of the session.
    http.post('/api/projects/:project/sessions/:session/attendees/:attendee/state', async request => {
      const { attendee, session } = await this.#invited(request);
      return { title: session.name, status: session.status, messages: snapshotFor(session, attendee) };
    });

    // The edges ask this before an upgrade and a join (docs/authorizer.md). They do not cache the answers.
    http.post('/authorize', async request => {
      if (request.headers.authorization !== `Bearer ${AUTHORIZER_KEY}`) throw new HttpProblem(403, 'not an edge');
      const { action, user, room, params } = question.parse(request.body);
      const ids = idsOf(room);
      const isOwnPath = action === 'join' || params?.attendee === user.id;
      if (isOwnPath && ids !== undefined && (await this.#admits(ids, user.id))) return { allow: true, ttl_ms: 0 };
      const reason = 'Attendee, project and session do not belong together, or the session is not active.';
      return { allow: false, reason, ...(action === 'connect' && { unauthorized: true }), ttl_ms: 0 };
    });
  }

  /** Changes a session that exists; errors of `change` are thrown. */
  changeSession(
    ids: SessionIds,
    change: (session: PairwiseSession) => PairwiseSession,
  ): Promise<PairwiseSession | undefined> {
    return this.#documents.update<PairwiseSession>(sessionKey(ids), session => session && change(session));
  }

  /** @throws {HttpProblem} 404, or 403 without the project's key */
  async #managed(projectId: string, { headers }: FastifyRequest): Promise<Project> {
    const project = existing(await this.#documents.read<Project>(projectKey(projectId)));
    const key = /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1];
    if (key === undefined || !isSame(key, project.key)) throw new HttpProblem(403, "this needs the project's key");
    return project;
  }

  /**
   * The attendee and the session of the path, for the key of the attendee's link. Extends the life of the project.
   * @throws {HttpProblem} 403, 404
   */
  async #invited(request: FastifyRequest): Promise<{ attendee: string; name: string; session: PairwiseSession }> {
    const { attendee, ...ids } = attendeePath.parse(request.params);
    const { key } = invitation.parse(request.body);
    const project = await this.#change(ids.project, unchanged => unchanged);
    const known = project.attendees[attendee];
    if (known === undefined || !isSame(key, known.key)) throw new HttpProblem(403, 'This link is not valid.');
    const session = await this.#documents.read<PairwiseSession>(sessionKey(ids));
    if (session === undefined) throw new HttpProblem(404, 'There is no such session.');
    return { attendee, name: known.name, session };
  }

  async #admits(ids: SessionIds, attendee: string): Promise<boolean> {
    const project = await this.#documents.read<Project>(projectKey(ids.project));
    if (project === undefined || !Object.hasOwn(project.attendees, attendee)) return false;
    if (!project.session_ids.includes(ids.session)) return false;
    return (await this.#documents.read<PairwiseSession>(sessionKey(ids)))?.status === 'active';
  }

  async #change(projectId: string, change: (project: Project) => Project): Promise<Project> {
    return existing(await this.#documents.update<Project>(projectKey(projectId), known => change(existing(known))));
  }
}

/** The room of a session, as hub.yaml derives it from the path. */
export function roomOf({ project_id, session_id }: PairwiseSession): string {
  return `pairwise:${project_id}.${session_id}`;
}

/** The ids in the name of a room; `undefined` for the room of anything else. */
export function idsOf(room: string | undefined): SessionIds | undefined {
  const [, project, session] = /^pairwise:([^.]+)\.([^.]+)$/.exec(room ?? '') ?? [];
  return project === undefined || session === undefined ? undefined : { project, session };
}

function existing(project: Project | undefined): Project {
  if (project === undefined) throw new HttpProblem(404, 'There is no such project.');
  return project;
}

function projectKey(projectId: string): string {
  return `project:${projectId}`;
}

function sessionKey({ project, session }: SessionIds): string {
  return `session:${project}.${session}`;
}

function newId(): string {
  return randomBytes(6).toString('hex');
}

function newKey(): string {
  return randomBytes(16).toString('base64url');
}

function isSame(one: string, other: string): boolean {
  const digest = (key: string): Buffer => createHash('sha256').update(key).digest();
  return timingSafeEqual(digest(one), digest(other));
}
