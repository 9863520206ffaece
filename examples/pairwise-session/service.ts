/** Pairwise session: attendees compare features until they agree. Client events change the session, the hub notifies all. */
import type { Hubbub, ServiceEvent } from '@hubbub/server';
import type { Example, ServiceParts } from '../service/example.js';
import { changeOf } from './attendee-events.js';
import { AUTHORIZER_KEY, addAuthorizer } from './authorizer.js';
import { once, toTell } from './handled-once.js';
import { type Project, Projects } from './projects.js';
import { RosterCheck } from './roster-check.js';
import { addRoutes } from './routes.js';
import { idsOf, type PairwiseSession, roomOf, type Source } from './session-document.js';
import { snapshotFor } from './session-messages.js';
import { leave, Refusal } from './session-rules.js';

const DAY_MS = 86_400_000;

export const pairwiseSession: Example = {
  name: 'pairwise-session',
  title: 'Pairwise session',
  stateTtlMs: DAY_MS,
  hubVariables: serviceUrl => ({
    HUBBUB_AUTHORIZER_URL: `${serviceUrl}/authorize`,
    HUBBUB_AUTHORIZER_KEY: AUTHORIZER_KEY,
  }),
  start: startPairwiseSession,
};

function startPairwiseSession({ hubbub, mint, documents, http, timeMs }: ServiceParts): void {
  const projects = new Projects(documents);
  addAuthorizer(http, projects);
  addRoutes({ http, projects, mint, close: (project, session) => disconnectAll(hubbub, project, session) });

  const rosterCheck = new RosterCheck(hubbub, timeMs('EXAMPLE_JOIN_SETTLED_MS', 30_000));
  const options = {
    group: 'pairwise',
    /** How long after this instance died another one takes over, or this one when it is back. */
    leaseMs: timeMs('EXAMPLE_LEASE_MS', 5000),
    // Failures here are those of Redis or the hub: keep trying for longer than a second.
    maxAttempts: 100,
    onError: (error: unknown) => void process.stderr.write(`${String(error)}\n`),
  };

  hubbub.onEvents('pairwise', options, async event => {
    const ids = idsOf(event.room);
    if (ids === undefined) return;
    try {
      const change = changeOf(event);
      await findLost(event);
      const session = await projects.changeSession(ids.projectId, ids.sessionId, open =>
        once(active(open), 'client', event.entryId, change),
      );
      if (session === undefined) throw closed();
      await tell(hubbub, session, 'client', event.entryId);
      if (event.type === 'join_session') await replyAll(event, session);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      await event.reply({ type: 'error', payload: { code: error.code, message: error.message } });
      // Closing was interrupted, or this one came in at that moment.
      if (error.code === SESSION_CLOSED) await hubbub.disconnectUser(event.user.id, error.message);
    }
  });

  hubbub.onLifecycle(options, async event => {
    if (event.event !== 'member_left') return;
    const ids = idsOf(event.room);
    if (ids === undefined) return;
    const { user, reason = 'dropped', atMs, entryId } = event;
    const session = await projects.changeSession(ids.projectId, ids.sessionId, open =>
      open.status === 'closed' ? open : once(open, 'member', entryId, before => leave(before, user, reason, atMs)),
    );
    if (session?.status === 'active') await tell(hubbub, session, 'member', entryId);
  });

  /** Before the first event of a room since this process runs. */
  async function findLost({ room = '', entryId }: ServiceEvent): Promise<void> {
    const ids = idsOf(room);
    // Presence is away: with the next event, then. Votes do not wait for it.
    const change = await rosterCheck.ask(room).catch(() => undefined);
    if (ids === undefined || change === undefined) return;
    const session = await projects.changeSession(ids.projectId, ids.sessionId, open =>
      open.status === 'closed' ? open : once(open, 'roster', entryId, change),
    );
    if (session?.status === 'active') await tell(hubbub, session, 'roster', entryId);
  }
}

async function tell(hubbub: Hubbub, session: PairwiseSession, source: Source, entryId: string): Promise<void> {
  const room = roomOf(session.project_id, session.session_id);
  for (const [index, message] of toTell(session, source, entryId).entries()) {
    await hubbub.publishToRoom(room, { ...message, idempotencyKey: `${source}:${entryId}:${index}` });
  }
}

/** For the one session that joined: a second page of the same attendee knows it already. */
async function replyAll(event: ServiceEvent, session: PairwiseSession): Promise<void> {
  for (const message of snapshotFor(session, event.user.id)) await event.reply(message);
}

/** Disconnects attendees; one who is also in another session stays there, and is only removed from this room. */
async function disconnectAll(
  hubbub: Hubbub,
  { attendees }: Project,
  { session_id, project_id }: PairwiseSession,
): Promise<void> {
  const room = roomOf(project_id, session_id);
  const reason = closed().message;
  const notice = { type: 'system_notice', payload: { code: 'session_closed', message: reason } };
  await hubbub.publishToRoom(room, { ...notice, idempotencyKey: `closed:${session_id}` });
  const disconnect = async (id: string): Promise<void> => {
    const { sessions } = await hubbub.presence.user(id);
    const isElsewhere = sessions.some(({ rooms }) => rooms.some(each => each !== room));
    if (!isElsewhere) await hubbub.disconnectUser(id, reason);
  };
  await Promise.all(Object.keys(attendees).map(disconnect));
  await hubbub.closeRoom(room, reason);
}

const SESSION_CLOSED = 'SESSION_CLOSED';

function closed(): Refusal {
  return new Refusal(SESSION_CLOSED, 'The session was closed.');
}

function active(session: PairwiseSession): PairwiseSession {
  if (session.status === 'closed') throw closed();
  return session;
}
