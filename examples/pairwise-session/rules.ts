/** A session as a document, its rules and its messages. Pure functions: the service passes them to `documents.update`. */

export type Feature = { readonly feature_id: string; readonly name: string; readonly description: string };

/** A preferred feature, or `null` and a tie. */
export type Vote = { readonly preferred_feature_id: string | null; readonly is_tie_vote: boolean };

export type Comparison = {
  readonly comparison_id: string;
  readonly feature_ids: readonly [string, string];
  /** By attendee. The votes of attendees who left are kept, and count again when they return. */
  readonly votes: Readonly<Record<string, Vote>>;
  readonly consensus: Vote | null;
};

export type Attendee = {
  readonly name: string;
  readonly present: boolean;
  /** When that began, by the clock of the reporting edge or presence: older reports are outdated. */
  readonly since_ms: number;
};

export type Message = { readonly type: string; readonly payload: Readonly<Record<string, unknown>> };

/** The payload of `comparison_update`. */
export interface ComparisonUpdate {
  readonly comparison_id: string;
  readonly features: readonly Feature[];
  /** Ids of those who have voted, also of those who are away. */
  readonly voted: readonly string[];
  /** The votes of all who are present, once all have voted. */
  readonly votes: ReadonlyArray<Vote & { readonly attendee_id: string }> | null;
  readonly consensus: Vote | null;
  /** Only for the attendee who joins. */
  readonly own_vote?: Vote | null;
}

/** The payload of `session_progress`. */
export interface SessionProgress {
  readonly total_comparisons: number;
  readonly completed_comparisons: number;
  readonly progress_percentage: number;
  readonly is_complete: boolean;
}

/** The origins of changes: two streams and a question to presence, each in order. */
export type Source = 'client' | 'member' | 'roster';

/** The entries of one source that were handled, and the messages of the last one. */
export type Handled = { readonly entries: readonly string[]; readonly messages: readonly Message[] };

export type PairwiseSession = {
  readonly project_id: string;
  readonly session_id: string;
  readonly name: string;
  readonly status: 'active' | 'closed';
  readonly features: readonly Feature[];
  readonly comparisons: readonly Comparison[];
  readonly attendees: Readonly<Record<string, Attendee>>;
  readonly handled: Readonly<Record<Source, Handled>>;
};

export interface NewSession {
  readonly project_id: string;
  readonly session_id: string;
  readonly name: string;
  readonly features: readonly Omit<Feature, 'feature_id'>[];
}

export interface Change {
  readonly session: PairwiseSession;
  readonly messages: readonly Message[];
}

/** A client event that changes nothing; the client receives it as `error`. */
export class Refusal extends Error {
  constructor(
    readonly code: 'INVALID_PAYLOAD' | 'NOT_JOINED' | 'UNKNOWN_COMPARISON' | 'UNKNOWN_FEATURE' | 'SESSION_CLOSED',
    message: string,
  ) {
    super(message);
  }
}

/** An attendee who is alone does not agree with anybody. */
const AGREEING_MIN = 2;
/** An instance that froze while it handled an entry loses its lease long before this many entries have passed. */
const ENTRIES_KEPT = 100;

/** A session that compares each feature with each other one. */
export function newSession({ features, ...named }: NewSession): PairwiseSession {
  const known = features.map((feature, index) => ({ feature_id: `f${index + 1}`, ...feature }));
  const pairs = known.flatMap((first, index) => known.slice(index + 1).map(second => [first, second] as const));
  const comparisons = pairs.map(([first, second], index) => ({
    comparison_id: `c${index + 1}`,
    feature_ids: [first.feature_id, second.feature_id] as const,
    votes: {},
    consensus: null,
  }));
  const nothing: Handled = { entries: [], messages: [] };
  const handled = { client: nothing, member: nothing, roster: nothing };
  return { ...named, status: 'active', features: known, comparisons, attendees: {}, handled };
}

/** @throws {Refusal} `SESSION_CLOSED` */
export function active(session: PairwiseSession | undefined): PairwiseSession {
  if (session?.status === 'active') return session;
  throw new Refusal('SESSION_CLOSED', 'The session was closed.');
}

/**
 * Applies the change of an entry once, although events arrive at least once. The document remembers its entries in the
 * update that changes it. It also keeps the messages of the last entry, which precede the next entry of that source.
 */
export function once(
  session: PairwiseSession,
  source: Source,
  entryId: string,
  change: (session: PairwiseSession) => Change,
): PairwiseSession {
  const { entries } = session.handled[source];
  if (entries.includes(entryId)) return session;
  const { session: next, messages } = change(session);
  const handled = { entries: [...entries, entryId].slice(-ENTRIES_KEPT), messages };
  return { ...next, handled: { ...next.handled, [source]: handled } };
}

/** The messages of an entry. If a later one was handled, all of them were sent, and the list is empty. */
export function messagesOf(session: PairwiseSession, source: Source, entryId: string): readonly Message[] {
  const { entries, messages } = session.handled[source];
  return entries.at(-1) === entryId ? messages : [];
}

/** Changes nothing if the attendee is present, or has left since. */
export function join(session: PairwiseSession, id: string, name: string, atMs: number): Change {
  const known = session.attendees[id];
  if (known !== undefined && (known.present || atMs < known.since_ms)) return { session, messages: [] };
  const next = withAttendee(session, id, { name, present: true, since_ms: atMs });
  return settle(session, next, [attendeeJoined(next, id)]);
}

/** Changes nothing if the attendee is away, or has returned since. */
export function leave(session: PairwiseSession, id: string, reason: 'left' | 'dropped', atMs: number): Change {
  const known = session.attendees[id];
  if (known === undefined || !known.present || atMs < known.since_ms) return { session, messages: [] };
  const next = withAttendee(session, id, { ...known, present: false, since_ms: atMs });
  return settle(session, next, [{ type: 'attendee_left', payload: { attendee_id: id, reason } }]);
}

/** Removes the attendees that presence does not list, unless they came after `beforeMs`. */
export function leaveUnlisted(session: PairwiseSession, listed: ReadonlySet<string>, beforeMs: number): Change {
  let change: Change = { session, messages: [] };
  for (const id of presentIds(session)) {
    const sinceMs = session.attendees[id]?.since_ms ?? 0;
    if (listed.has(id) || sinceMs >= beforeMs) continue;
    // At the time of the arrival: a later return is newer than this.
    const left = leave(change.session, id, 'dropped', sinceMs);
    change = { session: left.session, messages: [...change.messages, ...left.messages] };
  }
  return change;
}

/**
 * Puts a vote in the place of the attendee's earlier one. A vote from before the attendee left counts as one: the report
 * of leaving may have been faster.
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

/** The messages that describe the whole state to one attendee; `own_vote` is confidential. */
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

function presentIds({ attendees }: PairwiseSession): string[] {
  return Object.keys(attendees).filter(id => attendees[id]?.present === true);
}

function withAttendee(session: PairwiseSession, id: string, attendee: Attendee): PairwiseSession {
  return { ...session, attendees: { ...session.attendees, [id]: attendee } };
}

/** Checks every comparison again. The messages are the given ones and the visible differences. */
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
    if (consensus !== null && was === null) {
      return [update, { type: 'consensus_reached', payload: { comparison_id, ...consensus } }];
    }
    return consensus === null && was !== null
      ? [update, { type: 'consensus_lost', payload: { comparison_id } }]
      : [update];
  });
  const hasConsensusChange = updates.some(({ type }) => type !== 'comparison_update');
  const progress = voted !== undefined || hasConsensusChange ? [sessionProgress(session)] : [];
  return { session, messages: [...messages, ...updates, ...progress] };
}

/** Reached when all present attendees agree. It stays, also for later ones, until a present attendee votes differently. */
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

function attendeeJoined({ attendees }: PairwiseSession, id: string): Message {
  return { type: 'attendee_joined', payload: { attendee_id: id, name: attendees[id]?.name ?? id } };
}

/** The public state of a comparison: the voters, and their votes only when all present attendees have voted. */
function comparisonUpdate(session: PairwiseSession, comparison: Comparison): Message {
  const { comparison_id, feature_ids, votes, consensus } = comparison;
  const present = presentIds(session);
  const cast = present.flatMap(attendee_id => {
    const own = votes[attendee_id];
    return own === undefined ? [] : [{ attendee_id, ...own }];
  });
  const payload: ComparisonUpdate = {
    comparison_id,
    features: session.features.filter(({ feature_id }) => feature_ids.includes(feature_id)),
    voted: Object.keys(votes),
    votes: cast.length > 0 && cast.length === present.length ? cast : null,
    consensus,
  };
  return { type: 'comparison_update', payload: { ...payload } };
}

function sessionProgress({ comparisons }: PairwiseSession): Message {
  const completed = comparisons.filter(({ consensus }) => consensus !== null).length;
  const payload: SessionProgress = {
    total_comparisons: comparisons.length,
    completed_comparisons: completed,
    progress_percentage: Math.round((100 * completed) / comparisons.length),
    is_complete: completed === comparisons.length,
  };
  return { type: 'session_progress', payload: { ...payload } };
}
