/** Projects, and who and what belongs to them: attendees with the key of their link, sessions. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Documents } from '../state/documents.js';
import { type NewSession, newSession, type PairwiseSession } from './session-document.js';

export type Project = {
  readonly project_id: string;
  readonly name: string;
  /** The key for managing the project. */
  readonly key: string;
  readonly attendees: Readonly<Record<string, { readonly name: string; readonly key: string }>>;
  readonly session_ids: readonly string[];
};

/** A refusal as an HTTP answer. */
export class HttpProblem extends Error {
  constructor(
    readonly statusCode: number,
    message: string,
  ) {
    super(message);
  }
}

const ATTENDEES_MAX = 30;
const SESSIONS_MAX = 50;

export class Projects {
  readonly #documents: Documents;

  constructor(documents: Documents) {
    this.#documents = documents;
  }

  async create(name: string): Promise<Project> {
    const project_id = newId();
    const project = { project_id, name, key: newKey(), attendees: {}, session_ids: [] };
    await this.#documents.update<Project>(projectKey(project_id), () => project);
    return project;
  }

  async addAttendee(projectId: string, name: string): Promise<{ attendee_id: string; key: string }> {
    const attendee_id = newId();
    const key = newKey();
    await this.#change(projectId, project => {
      if (Object.keys(project.attendees).length >= ATTENDEES_MAX) throw new HttpProblem(409, 'too many attendees');
      return { ...project, attendees: { ...project.attendees, [attendee_id]: { name, key } } };
    });
    return { attendee_id, key };
  }

  async addSession(projectId: string, wanted: Pick<NewSession, 'name' | 'features'>): Promise<PairwiseSession> {
    const session = newSession({ project_id: projectId, session_id: newId(), ...wanted });
    const { session_id } = session;
    await this.#documents.update<PairwiseSession>(sessionKey(projectId, session_id), () => session);
    await this.#change(projectId, project => {
      if (project.session_ids.length >= SESSIONS_MAX) throw new HttpProblem(409, 'too many sessions');
      return { ...project, session_ids: [...project.session_ids.filter(id => id !== session_id), session_id] };
    });
    return session;
  }

  /** @throws {HttpProblem} 404, or 403 without the project's key */
  async managed(projectId: string, key: string | undefined): Promise<Project> {
    const project = existing(await this.#documents.read<Project>(projectKey(projectId)));
    if (key === undefined || !isSame(key, project.key)) throw new HttpProblem(403, "this needs the project's key");
    return project;
  }

  /**
   * The attendee and the session for the key of the attendee's link; extends the project's life.
   * @throws {HttpProblem} 403, 404; 409 for a session that is closed
   */
  async invited(
    projectId: string,
    sessionId: string,
    attendeeId: string,
    key: string,
  ): Promise<{ name: string; title: string }> {
    const project = await this.#change(projectId, unchanged => unchanged);
    const attendee = project.attendees[attendeeId];
    if (attendee === undefined || !isSame(key, attendee.key)) throw new HttpProblem(403, 'This link is not valid.');
    const session = await this.session(projectId, sessionId);
    if (session === undefined) throw new HttpProblem(404, 'There is no such session.');
    if (session.status !== 'active') throw new HttpProblem(409, 'This session is closed.');
    return { name: attendee.name, title: session.name };
  }

  /** Whether the attendee belongs to the project, and the session to it, and it is active. */
  async admits(projectId: string, sessionId: string, attendeeId: string): Promise<boolean> {
    const project = await this.#documents.read<Project>(projectKey(projectId));
    if (project === undefined || !Object.hasOwn(project.attendees, attendeeId)) return false;
    if (!project.session_ids.includes(sessionId)) return false;
    return (await this.session(projectId, sessionId))?.status === 'active';
  }

  session(projectId: string, sessionId: string): Promise<PairwiseSession | undefined> {
    return this.#documents.read<PairwiseSession>(sessionKey(projectId, sessionId));
  }

  /** Atomic, as `Documents` are; a session that is forgotten stays so. Errors of `change` are thrown. */
  changeSession(
    projectId: string,
    sessionId: string,
    change: (session: PairwiseSession) => PairwiseSession,
  ): Promise<PairwiseSession | undefined> {
    return this.#documents.update<PairwiseSession>(sessionKey(projectId, sessionId), session =>
      session === undefined ? undefined : change(session),
    );
  }

  async #change(projectId: string, change: (project: Project) => Project): Promise<Project> {
    const changed = await this.#documents.update<Project>(projectKey(projectId), project => change(existing(project)));
    return existing(changed);
  }
}

function existing(project: Project | undefined): Project {
  if (project === undefined) throw new HttpProblem(404, 'There is no such project.');
  return project;
}

function projectKey(projectId: string): string {
  return `project:${projectId}`;
}

function sessionKey(projectId: string, sessionId: string): string {
  return `session:${projectId}.${sessionId}`;
}

function newId(): string {
  return randomBytes(6).toString('hex');
}

function newKey(): string {
  return randomBytes(16).toString('base64url');
}

function isSame(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
