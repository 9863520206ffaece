/** A session as a document: features, the comparisons of each with each, who is here, how they voted. */

export type Feature = { readonly feature_id: string; readonly name: string; readonly description: string };

/** A preferred feature, or none and a tie. */
export type Vote = { readonly preferred_feature_id: string | null; readonly is_tie_vote: boolean };

export type Comparison = {
  readonly comparison_id: string;
  readonly feature_ids: readonly [string, string];
  /** By attendee; those of attendees who left stay here and do not count until they are back. */
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

/** Where what changes a session comes from: two streams and a question to presence, each in order. */
export type Source = 'client' | 'member' | 'roster';

/** The handled entries, and the messages of the last one: the same again when it is handled again. */
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

const NOTHING: Handled = { entries: [], messages: [] };

export function newSession({ features, ...named }: NewSession): PairwiseSession {
  const known = features.map((feature, index) => ({ feature_id: `f${index + 1}`, ...feature }));
  const pairs = known.flatMap((first, index) => known.slice(index + 1).map(second => [first, second] as const));
  return {
    ...named,
    status: 'active',
    features: known,
    comparisons: pairs.map(([first, second], index) => ({
      comparison_id: `c${index + 1}`,
      feature_ids: [first.feature_id, second.feature_id],
      votes: {},
      consensus: null,
    })),
    attendees: {},
    handled: { client: NOTHING, member: NOTHING, roster: NOTHING },
  };
}

export function presentIds({ attendees }: PairwiseSession): string[] {
  return Object.keys(attendees).filter(id => attendees[id]?.present === true);
}

const NAMESPACE = 'pairwise';

/** The room of a session, as hub.yaml makes it of the path. */
export function roomOf(projectId: string, sessionId: string): string {
  return `${NAMESPACE}:${projectId}.${sessionId}`;
}

/** The ids in a room's name; `undefined` for a room of anything else. */
export function idsOf(room: string | undefined): { projectId: string; sessionId: string } | undefined {
  const [, projectId, sessionId] = /^pairwise:([^.]+)\.([^.]+)$/.exec(room ?? '') ?? [];
  return projectId === undefined || sessionId === undefined ? undefined : { projectId, sessionId };
}
