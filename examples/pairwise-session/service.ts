/** Pairwise session: attendees compare features until they agree. Client events change the session, and the hub notifies all. */
import type { ServiceEvent } from '@hubbub/server';
import { z } from 'zod';
import type { Example, ServiceParts } from '../service/example.js';
import { AUTHORIZER_KEY, idsOf, type Project, Projects, roomOf } from './projects.js';
import {
  active,
  type Change,
  join,
  leave,
  leaveUnlisted,
  messagesOf,
  once,
  type PairwiseSession,
  Refusal,
  type Source,
  snapshotFor,
  vote,
} from './rules.js';

const DAY_MS = 86_400_000;
const ROOMS_KEPT = 10_000;
const ROSTER_MAX = 1000;
const CLOSED = 'The session was closed.';

const voteSubmitted = z.object({
  vote: z
    .object({
      comparison_id: z.string().min(1).max(64),
      preferred_feature_id: z.string().min(1).max(64).nullable(),
      is_tie_vote: z.boolean(),
    })
    .refine(({ preferred_feature_id, is_tie_vote }) => is_tie_vote === (preferred_feature_id === null)),
});

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
  projects.addRoutes(http, mint, disconnectAll);

  const options = {
    group: 'pairwise',
    /** How long after this instance died another one takes over, or this one when it restarts. */
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
      await checkRoster(event);
      const session = await projects.changeSession(ids, open => once(active(open), 'client', event.entryId, change));
      await publish(active(session), 'client', event.entryId);
      if (event.type === 'join_session') {
        // For the session that joined: a second page of the attendee has the state already.
        for (const message of snapshotFor(active(session), event.user.id)) await event.reply(message);
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      await event.reply({ type: 'error', payload: { code: error.code, message: error.message } });
      // The closing was interrupted, or this connection came in at that moment.
      if (error.code === 'SESSION_CLOSED') await hubbub.disconnectUser(event.user.id, CLOSED);
    }
  });

  hubbub.onLifecycle(options, async event => {
    if (event.event !== 'member_left') return;
    const { user, reason = 'dropped', atMs, entryId } = event;
    await changeIfActive(event.room, 'member', entryId, session => leave(session, user, reason, atMs));
  });

  /** Changes a session because of something else than a client event, unless it is closed. */
  async function changeIfActive(
    room: string | undefined,
    source: Source,
    entryId: string,
    change: (session: PairwiseSession) => Change,
  ): Promise<void> {
    const ids = idsOf(room);
    if (ids === undefined) return;
    const session = await projects.changeSession(ids, open =>
      open.status === 'closed' ? open : once(open, source, entryId, change),
    );
    if (session?.status === 'active') await publish(session, source, entryId);
  }

  /** Rooms that presence was asked about since this process started: from then on, it receives all leave events. */
  const checked = new Set<string>();
  const settledMs = timeMs('EXAMPLE_JOIN_SETTLED_MS', 30_000);

  /**
   * Asks presence before the first event of a room. The service may have been down for longer than leave events are kept.
   * Presence knows connections that are older than `settledMs`.
   */
  async function checkRoster({ room = '', entryId }: ServiceEvent): Promise<void> {
    if (checked.has(room)) return;
    const roster = await hubbub.presence.roster(room, { limit: ROSTER_MAX }).catch(() => undefined);
    if (roster === undefined) return; // Presence is away: votes do not wait for it, and the next event asks again.
    if (checked.size >= ROOMS_KEPT) checked.clear();
    checked.add(room);
    const listed = new Set(roster.users.map(({ id }) => id));
    const beforeMs = Date.now() - settledMs;
    await changeIfActive(room, 'roster', entryId, session => leaveUnlisted(session, listed, beforeMs));
  }

  async function publish(session: PairwiseSession, source: Source, entryId: string): Promise<void> {
    for (const [index, message] of messagesOf(session, source, entryId).entries()) {
      await hubbub.publishToRoom(roomOf(session), { ...message, idempotencyKey: `${source}:${entryId}:${index}` });
    }
  }

  /** Disconnects attendees. One who is also in another session stays there, and is only removed from this room. */
  async function disconnectAll({ attendees }: Project, session: PairwiseSession): Promise<void> {
    const room = roomOf(session);
    const notice = { type: 'system_notice', payload: { code: 'session_closed', message: CLOSED } };
    await hubbub.publishToRoom(room, { ...notice, idempotencyKey: `closed:${session.session_id}` });
    const disconnect = async (id: string): Promise<void> => {
      const { sessions } = await hubbub.presence.user(id);
      const isElsewhere = sessions.some(({ rooms }) => rooms.some(each => each !== room));
      if (!isElsewhere) await hubbub.disconnectUser(id, CLOSED);
    };
    await Promise.all(Object.keys(attendees).map(disconnect));
    await hubbub.closeRoom(room, CLOSED);
  }
}

/**
 * The change that a client event requests. The attendee is the user of the token: ids in the payload are not read.
 * @throws {Refusal} `INVALID_PAYLOAD`
 */
function changeOf({ type, payload, user, atMs }: ServiceEvent): (session: PairwiseSession) => Change {
  if (type === 'join_session') return session => join(session, user.id, user.name, atMs);
  if (type === 'leave_session') return session => leave(session, user.id, 'left', atMs);
  const parsed = voteSubmitted.safeParse(payload);
  if (!parsed.success) {
    throw new Refusal(
      'INVALID_PAYLOAD',
      'Expected { vote: { comparison_id, preferred_feature_id, is_tie_vote } }: a feature and false, or null and true.',
    );
  }
  const { comparison_id, ...cast } = parsed.data.vote;
  return session => vote(session, user.id, comparison_id, cast, atMs);
}
