/** The messages of a session: the state of a comparison, and the progress of all. */
import { type Comparison, type Message, type PairwiseSession, presentIds, type Vote } from './session-document.js';

/** The public state of a comparison: the voters, and their votes only when all present have voted. */
export function comparisonUpdate(session: PairwiseSession, comparison: Comparison): Message {
  const { comparison_id, feature_ids, votes, consensus } = comparison;
  const present = presentIds(session);
  const cast = present.flatMap(attendee_id => {
    const vote = votes[attendee_id];
    return vote === undefined ? [] : [{ attendee_id, ...vote }];
  });
  return {
    type: 'comparison_update',
    payload: {
      comparison_id,
      features: session.features.filter(({ feature_id }) => feature_ids.includes(feature_id)),
      voted: Object.keys(votes),
      votes: cast.length > 0 && cast.length === present.length ? cast : null,
      consensus,
    },
  };
}

export function sessionProgress({ comparisons }: PairwiseSession): Message {
  const completed = comparisons.filter(({ consensus }) => consensus !== null).length;
  return {
    type: 'session_progress',
    payload: {
      total_comparisons: comparisons.length,
      completed_comparisons: completed,
      progress_percentage: Math.round((100 * completed) / comparisons.length),
      is_complete: completed === comparisons.length,
    },
  };
}

export function consensusReached(comparisonId: string, consensus: Vote): Message {
  return { type: 'consensus_reached', payload: { comparison_id: comparisonId, ...consensus } };
}

export function consensusLost(comparisonId: string): Message {
  return { type: 'consensus_lost', payload: { comparison_id: comparisonId } };
}

/** All that somebody who joins has to know; `own_vote` is for the attendee's own eyes. */
export function snapshotFor(session: PairwiseSession, attendeeId: string): Message[] {
  return [
    ...presentIds(session).map(id => attendeeJoined(session, id)),
    ...session.comparisons.map(comparison => {
      const { type, payload } = comparisonUpdate(session, comparison);
      return { type, payload: { ...payload, own_vote: comparison.votes[attendeeId] ?? null } };
    }),
    sessionProgress(session),
  ];
}

export function attendeeJoined({ attendees }: PairwiseSession, id: string): Message {
  return { type: 'attendee_joined', payload: { attendee_id: id, name: attendees[id]?.name ?? id } };
}
