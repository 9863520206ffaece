/** The state of a room: the payload of `state` frames, and the user of this page. */

export interface MemberState {
  readonly id: string;
  readonly name: string;
  readonly role: 'host' | 'player';
  /** Only when it is not. */
  readonly online?: false;
  /** RFC 3339. */
  readonly last_seen?: string;
  readonly score?: number;
  /** Points of the question that was last. */
  readonly gained?: number;
}

export interface QuestionState {
  readonly index: number;
  readonly text: string;
  readonly answers: readonly string[];
  readonly ends_at_ms: number;
  readonly duration_ms: number;
  /** Ids of users. */
  readonly answered: readonly string[];
  /** When it is over. */
  readonly right?: number;
  readonly choices?: Readonly<Record<string, number>>;
}

export interface QuizState {
  readonly code: string;
  readonly version: number;
  readonly round: number;
  readonly phase: 'lobby' | 'question' | 'reveal' | 'ended';
  readonly set: string;
  readonly title: string;
  readonly questions: number;
  readonly members: readonly MemberState[];
  readonly question?: QuestionState;
}

/** An answer of this page: on its way, taken by the hub, or counted by the service. */
export interface OwnAnswer {
  readonly choice: number;
  readonly state: 'sent' | 'taken' | 'counted';
}

/** The parts of the page that a screen uses. */
export interface Quiz {
  readonly me: { readonly id: string; readonly name: string; readonly role: 'host' | 'player' };
  /** Milliseconds since 1970 by the service's clock. */
  now(): number;
  ownAnswer(round: number, question: number): OwnAnswer | undefined;
  choose(choice: number): void;
  tell(type: string, payload?: Readonly<Record<string, unknown>>): Promise<boolean>;
  leave(): void;
}

/** A part of the page for one phase of the quiz; it is updated until another takes its place. */
export interface Screen {
  readonly element: HTMLElement;
  update(state: QuizState): void;
  close?(): void;
}

export function playersOf({ members }: QuizState): readonly MemberState[] {
  return members.filter(({ role }) => role === 'player');
}

export function hostOf({ members }: QuizState): MemberState | undefined {
  return members.find(({ role }) => role === 'host');
}
