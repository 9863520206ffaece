/** The state of an attendee's page, from frames. Frames carry states, so the newest one is always right. */
import type { z } from 'zod';
import type { attendeeJoined, comparisonUpdate, Feature, Progress, Vote } from './frames.js';

export interface Comparison {
  readonly id: string;
  readonly features: readonly [Feature, Feature];
  /** Ids of those who have voted, also of those who are away. */
  readonly voted: readonly string[];
  /** How all who are here voted; not before all have. */
  readonly votes: ReadonlyArray<Vote & { readonly attendee_id: string }> | null;
  readonly consensus: Vote | null;
  readonly own: Vote | null;
}

export class SessionState {
  readonly people = new Map<string, { readonly name: string; readonly present: boolean }>();
  readonly comparisons: Comparison[] = [];
  progress: Progress | undefined;

  constructor(readonly me: string) {}

  /** @returns whether that is news */
  joined({ attendee_id, name }: z.infer<typeof attendeeJoined>): boolean {
    const isNews = this.people.get(attendee_id)?.present !== true;
    this.people.set(attendee_id, { name, present: true });
    return isNews;
  }

  left(id: string): void {
    const known = this.people.get(id);
    if (known !== undefined) this.people.set(id, { ...known, present: false });
  }

  updated({ comparison_id: id, own_vote, ...rest }: z.infer<typeof comparisonUpdate>): void {
    const index = this.comparisons.findIndex(each => each.id === id);
    const mine = rest.votes?.find(({ attendee_id }) => attendee_id === this.me);
    const own = own_vote ?? mine ?? this.comparisons[index]?.own ?? null;
    const comparison = { id, ...rest, own };
    if (index < 0) this.comparisons.push(comparison);
    else this.comparisons[index] = comparison;
  }

  cast(id: string, own: Vote): void {
    const index = this.comparisons.findIndex(each => each.id === id);
    const known = this.comparisons[index];
    if (known !== undefined) this.comparisons[index] = { ...known, own };
  }

  /** Those who are here and have not voted, without me. */
  waitingFor({ voted }: Comparison): string[] {
    return [...this.people].flatMap(([id, { name, present }]) =>
      present && id !== this.me && !voted.includes(id) ? [name] : [],
    );
  }

  get presentCount(): number {
    return [...this.people.values()].filter(({ present }) => present).length;
  }

  /** The next comparison, in order and from the start again, that waits for me or is not settled. */
  nextOpen(from: number): number | undefined {
    const order = this.comparisons.map((_, step) => (from + 1 + step) % this.comparisons.length);
    const find = (fits: (each: Comparison) => boolean): number | undefined =>
      order.find(index => {
        const each = this.comparisons[index];
        return each !== undefined && index !== from && fits(each);
      });
    return find(each => each.own === null && each.consensus === null) ?? find(each => each.consensus === null);
  }

  /** Features by what was agreed: one point for each pair won, half a one for a tie. */
  ranking(): { readonly name: string; readonly points: number }[] {
    const points = new Map<string, { name: string; points: number }>();
    for (const { features, consensus } of this.comparisons) {
      for (const { feature_id, name } of features) {
        const sum = points.get(feature_id)?.points ?? 0;
        const won = consensus?.is_tie_vote === true ? 0.5 : Number(consensus?.preferred_feature_id === feature_id);
        points.set(feature_id, { name, points: sum + won });
      }
    }
    return [...points.values()].sort((one, other) => other.points - one.points);
  }
}

export function nameOf(vote: Vote, features: readonly Feature[]): string {
  return features.find(({ feature_id }) => feature_id === vote.preferred_feature_id)?.name ?? 'a tie';
}
