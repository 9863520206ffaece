/** The changes of a session, with their messages. Pure: the service passes them to `documents.update`. */
import { type Comparison, type Message, type PairwiseSession, presentIds, type Vote } from './session-document.js';
import {
  attendeeJoined,
  comparisonUpdate,
  consensusLost,
  consensusReached,
  sessionProgress,
} from './session-messages.js';

export interface Change {
  readonly session: PairwiseSession;
  readonly messages: readonly Message[];
}

export type LeaveReason = 'left' | 'dropped';

/** Sent to the client as `error`; nothing has changed. */
export class Refusal extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** One alone agrees with nobody. */
const AGREEING_MIN = 2;

/** Joining twice, and news from before the attendee left, change nothing. */
export function join(session: PairwiseSession, id: string, name: string, atMs: number): Change {
  const known = session.attendees[id];
  if (known !== undefined && (known.present || atMs < known.since_ms)) return unchanged(session);
  const next = withAttendee(session, id, { name, present: true, since_ms: atMs });
  return settle(session, next, [attendeeJoined(next, id)]);
}

/** News from before the attendee joined change nothing: it is back since. */
export function leave(session: PairwiseSession, id: string, reason: LeaveReason, atMs: number): Change {
  const known = session.attendees[id];
  if (known === undefined || !known.present || atMs < known.since_ms) return unchanged(session);
  const next = withAttendee(session, id, { ...known, present: false, since_ms: atMs });
  return settle(session, next, [{ type: 'attendee_left', payload: { attendee_id: id, reason } }]);
}

/**
 * The attendee's vote in the place of an earlier one. A vote from before the attendee left is kept: the news of leaving
 * may have been faster.
 * @throws {Refusal} `NOT_JOINED`, `UNKNOWN_COMPARISON`, `UNKNOWN_FEATURE`
 */
export function vote(session: PairwiseSession, id: string, comparisonId: string, cast: Vote, atMs: number): Change {
  const attendee = session.attendees[id];
  if (attendee === undefined || !(attendee.present || atMs <= attendee.since_ms)) {
    throw new Refusal('NOT_JOINED', 'Send join_session first: only those who joined vote.');
  }
  const comparison = session.comparisons.find(({ comparison_id }) => comparison_id === comparisonId);
  if (comparison === undefined) throw new Refusal('UNKNOWN_COMPARISON', 'This session has no such comparison.');
  const preferred = cast.preferred_feature_id;
  if (preferred !== null && !comparison.feature_ids.includes(preferred)) {
    throw new Refusal('UNKNOWN_FEATURE', 'preferred_feature_id: expected one of the two that are compared.');
  }
  const voted = { ...comparison, votes: { ...comparison.votes, [id]: cast } };
  const comparisons = session.comparisons.map(each => (each === comparison ? voted : each));
  const present = presentIds(session);
  const received = {
    comparison_id: comparisonId,
    attendee_id: id,
    votes_received: present.filter(each => each in voted.votes).length,
    votes_expected: present.length,
  };
  return settle(session, { ...session, comparisons }, [{ type: 'vote_received', payload: received }], comparisonId);
}

function unchanged(session: PairwiseSession): Change {
  return { session, messages: [] };
}

function withAttendee(
  session: PairwiseSession,
  id: string,
  attendee: PairwiseSession['attendees'][string],
): PairwiseSession {
  return { ...session, attendees: { ...session.attendees, [id]: attendee } };
}

/** Checks every comparison again; the messages are the visible differences, and the vote's own. */
function settle(before: PairwiseSession, after: PairwiseSession, messages: readonly Message[], voted?: string): Change {
  const present = presentIds(after);
  const comparisons = after.comparisons.map(each => ({ ...each, consensus: consensusOf(each, present) }));
  const session = { ...after, comparisons };
  const updates = comparisons.flatMap((comparison, index) => {
    const earlier = before.comparisons[index];
    const update = comparisonUpdate(session, comparison);
    const seen = earlier === undefined ? undefined : comparisonUpdate(before, earlier);
    const { comparison_id, consensus } = comparison;
    if (comparison_id !== voted && JSON.stringify(update) === JSON.stringify(seen)) return [];
    const was = earlier?.consensus ?? null;
    if (consensus !== null && was === null) return [update, consensusReached(comparison_id, consensus)];
    return consensus === null && was !== null ? [update, consensusLost(comparison_id)] : [update];
  });
  const settledAnything = updates.some(({ type }) => type !== 'comparison_update');
  const progress = voted !== undefined || settledAnything ? [sessionProgress(session)] : [];
  return { session, messages: [...messages, ...updates, ...progress] };
}

/**
 * Reached when all who are here have voted and agree. It stays, also for those who come later, until the vote of
 * somebody who is present objects.
 */
function consensusOf({ votes, consensus }: Comparison, present: readonly string[]): Vote | null {
  const cast = present.flatMap(id => votes[id] ?? []);
  if (consensus !== null) return cast.every(each => isSame(each, consensus)) ? consensus : null;
  const [first] = cast;
  if (first === undefined || present.length < AGREEING_MIN || cast.length < present.length) return null;
  return cast.every(each => isSame(each, first)) ? first : null;
}

function isSame(one: Vote, other: Vote): boolean {
  return one.preferred_feature_id === other.preferred_feature_id && one.is_tie_vote === other.is_tie_vote;
}
