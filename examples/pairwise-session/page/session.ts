/** A session as the page of an attendee has it: its state by the messages of the service, and the attendee's votes. */
import { type HubbubClient, HubbubError, type Room } from '@hubbub/client';
import { ask, hubClient, ServiceError, sendUntilTaken, wordsOf } from '../../page/hub.js';
import { toast } from '../../page/ui.js';
import type { ComparisonUpdate, Feature, Message, SessionProgress, Vote } from '../rules.js';

const LEFT = 'You have left the session. Your votes are kept, and count again when you are back.';
const TIE: Vote = { preferred_feature_id: null, is_tie_vote: true };

/** Refusals of a token that are final: reconnecting does not help. */
const FINAL: Readonly<Record<number, string>> = {
  400: 'This link is not valid.',
  403: 'This link is not valid.',
  404: 'There is no such session any more.',
  409: 'This session is closed.',
};

export type Comparison = ComparisonUpdate & { readonly own_vote: Vote | null };

export interface Invitation {
  readonly project: string;
  readonly session: string;
  readonly attendee: string;
  readonly key: string;
}

export class Session {
  readonly me: string;
  readonly people = new Map<string, { readonly name: string; readonly present: boolean }>();
  readonly comparisons: Comparison[] = [];
  /** Votes on the way; `slowed` ones wait for the rate limit. */
  readonly sending = new Map<string, 'sending' | 'slowed'>();
  progress: SessionProgress | undefined;
  title = '';
  client: HubbubClient | undefined;
  /** The index of the visible comparison. */
  index = 0;
  /** Counts the agreements on the visible comparison. */
  celebrations = 0;
  ended: { readonly words: string; readonly mayReturn: boolean } | undefined;
  readonly #path: string;
  readonly #key: string;
  readonly #roomName: string;
  readonly #redraw: () => void;
  readonly #waiting = new Map<string, Vote>();
  #finalWords: string | undefined;

  constructor({ project, session, attendee, key }: Invitation, redraw: () => void) {
    this.me = attendee;
    this.#path = `/projects/${project}/sessions/${session}/attendees/${attendee}`;
    this.#key = key;
    this.#roomName = `pairwise:${project}.${session}`;
    this.#redraw = redraw;
  }

  async open(): Promise<void> {
    const client = await hubClient(`${this.#path}/ws`, () => this.#token());
    this.client = client;
    const room = client.room(this.#roomName);
    for (const type of ['attendee_joined', 'attendee_left', 'comparison_update', 'session_progress']) {
      room.on<string>(type, ({ payload, offset }) => {
        // Messages for all have an offset. The others answer our own join, and are not news.
        if (offset !== undefined) this.#announce(type, Object(payload));
        this.#apply({ type, payload: Object(payload) });
      });
    }
    room.on('consensus_reached', ({ payload }) => this.#celebrate(String(payload?.comparison_id)));
    room.on('consensus_lost', ({ payload }) => {
      const lost = this.comparisons.find(each => each.comparison_id === payload?.comparison_id);
      const names = lost?.features.map(({ name }) => name).join(' or ');
      if (names !== undefined) toast(`No longer agreed: ${names}. A vote has changed.`);
    });
    room.on('system_notice', ({ payload }) => {
      if (payload?.code === 'session_closed') this.#finalWords = String(payload.message);
      else toast(String(payload?.message));
    });
    room.on('error', ({ payload }) => {
      // The page repeats messages after these.
      if (!['RATE_LIMITED', 'UNAVAILABLE', 'OUTCOME_UNKNOWN'].includes(payload.code)) toast(payload.message, 'bad');
    });
    // In every connection: after a long reconnect the others believe that we have left.
    const join = (): void => {
      sendUntilTaken(room, 'join_session', {}, () => client.state === 'open').catch(() => {}); // The next one joins.
    };
    client.on('state', ({ state, error }) => {
      if (state === 'open') join();
      if (state === 'closed') void this.#end(this.#finalWords ?? error?.message ?? 'The connection was ended.');
    });
    room.onGap(join); // Missed messages are unknown: joining again returns the whole state.
    client.connect().catch(() => {}); // The badge shows it.
    this.#redraw();
  }

  get shown(): Comparison | undefined {
    return this.comparisons[this.index];
  }

  get presentCount(): number {
    return [...this.people.values()].filter(({ present }) => present).length;
  }

  /** Features in the agreed order: a point for each pair won, half a point for a tie. */
  ranking(): { readonly name: string; readonly points: number }[] {
    const points = new Map<string, number>();
    for (const { features, consensus } of this.comparisons) {
      for (const { feature_id, name } of features) {
        const won = consensus?.is_tie_vote === true ? 0.5 : Number(consensus?.preferred_feature_id === feature_id);
        points.set(name, (points.get(name) ?? 0) + won);
      }
    }
    return [...points].map(([name, sum]) => ({ name, points: sum })).sort((one, other) => other.points - one.points);
  }

  /** Shows another comparison. */
  show(index: number): void {
    const count = Math.max(1, this.comparisons.length);
    this.index = (index + count) % count;
    this.#redraw();
  }

  /** Shows the next comparison that waits for this attendee, or is not settled. */
  showNextOpen(): void {
    const { length } = this.comparisons;
    const order = this.comparisons.map((_, step) => (this.index + 1 + step) % length).slice(0, -1);
    const open = order.filter(index => this.comparisons[index]?.consensus === null);
    this.show(open.find(index => this.comparisons[index]?.own_vote === null) ?? open[0] ?? this.index);
  }

  /** @param place of the preferred feature; 2 is a tie */
  vote(place: number): void {
    const { shown } = this;
    if (shown === undefined) return;
    const preferred = shown.features[place]?.feature_id;
    const vote = preferred === undefined ? TIE : { preferred_feature_id: preferred, is_tie_vote: false };
    this.comparisons[this.index] = { ...shown, own_vote: vote };
    this.#waiting.set(shown.comparison_id, vote);
    const isIdle = this.sending.size === 0;
    this.#setSending(shown.comparison_id, 'sending');
    if (isIdle) void this.#sendVotes();
  }

  async leave(): Promise<void> {
    this.#finalWords = LEFT;
    // If it does not arrive, the end of the connection has the same effect.
    await this.client
      ?.room(this.#roomName)
      .sendEvent('leave_session')
      .catch(() => {});
    this.client?.close();
  }

  rejoin(): void {
    this.#finalWords = undefined;
    this.ended = undefined;
    this.client?.connect().catch(() => {}); // The badge shows it.
    this.#redraw();
  }

  /** Votes go one after the other, and only the newest one of each comparison. */
  async #sendVotes(): Promise<void> {
    const room = this.client?.room(this.#roomName);
    for (let next = first(this.#waiting); next !== undefined; next = first(this.#waiting)) {
      const [id, vote] = next;
      this.#waiting.delete(id);
      const isNewest = (): boolean => !this.#waiting.has(id);
      try {
        if (room !== undefined) await this.#send(room, id, vote, isNewest);
      } catch (error) {
        if (isNewest()) toast(`Your vote was not taken: ${wordsOf(error)}`, 'bad');
      }
      if (isNewest()) this.#setSending(id, undefined);
    }
  }

  async #send(room: Room, comparison_id: string, vote: Vote, isNewest: () => boolean): Promise<void> {
    await sendUntilTaken(room, 'vote_submitted', { vote: { comparison_id, ...vote } }, error => {
      if (error.code === 'RATE_LIMITED') this.#setSending(comparison_id, 'slowed');
      return isNewest() && room.state !== 'left';
    });
  }

  #setSending(id: string, sending: 'sending' | 'slowed' | undefined): void {
    if (sending === undefined) this.sending.delete(id);
    else this.sending.set(id, sending);
    this.#redraw();
  }

  /** Messages carry states, so the newest one is always right. */
  #apply({ type, payload }: Message): void {
    const about = payload as { readonly attendee_id: string; readonly name: string };
    if (type === 'attendee_joined') this.people.set(about.attendee_id, { name: about.name, present: true });
    if (type === 'attendee_left') {
      const known = this.people.get(about.attendee_id);
      if (known !== undefined) this.people.set(about.attendee_id, { ...known, present: false });
    }
    if (type === 'session_progress') this.progress = payload as unknown as SessionProgress;
    if (type === 'comparison_update') this.#update(payload as unknown as ComparisonUpdate);
    this.#redraw();
  }

  #update(update: ComparisonUpdate): void {
    const index = this.comparisons.findIndex(each => each.comparison_id === update.comparison_id);
    const mine = update.votes?.find(({ attendee_id }) => attendee_id === this.me);
    const own_vote = update.own_vote ?? mine ?? this.comparisons[index]?.own_vote ?? null;
    this.comparisons[index < 0 ? this.comparisons.length : index] = { ...update, own_vote };
  }

  #announce(type: string, { attendee_id, name, reason }: Readonly<Record<string, string>>): void {
    const known = this.people.get(attendee_id ?? '');
    if (type === 'attendee_joined' && known?.present !== true && attendee_id !== this.me) toast(`${name} is here.`);
    if (type !== 'attendee_left' || known === undefined) return;
    toast(`${known.name} has ${reason === 'left' ? 'left' : 'lost the connection'}.`);
  }

  #celebrate(id: string): void {
    const settled = this.comparisons.find(({ comparison_id }) => comparison_id === id);
    if (this.shown?.comparison_id === id) this.celebrations++;
    else if (settled?.consensus) toast(`You all agree: ${nameOf(settled.consensus, settled.features)}.`, 'good');
    this.#redraw();
  }

  async #token(): Promise<string> {
    try {
      const answer = await this.#ask<{ token: string; title: string }>('token');
      this.title = answer.title;
      return answer.token;
    } catch (error) {
      this.#finalWords = error instanceof ServiceError ? FINAL[error.status] : undefined;
      throw this.#finalWords === undefined ? error : new HubbubError('UNAUTHORIZED', this.#finalWords);
    }
  }

  /** The end of a session keeps what was agreed, also for a page that is opened later. */
  async #end(words: string): Promise<void> {
    this.ended = { words, mayReturn: words === LEFT };
    this.#redraw();
    if (words === LEFT) return;
    const state = await this.#ask<{ title: string; messages: readonly Message[] }>('state').catch(() => undefined);
    this.title = state?.title ?? this.title;
    for (const message of state?.messages ?? []) this.#apply(message); // Without an answer, the state is the last known.
  }

  #ask<Answer>(what: string): Promise<Answer> {
    return ask<Answer>('POST', `/api${this.#path}/${what}`, { key: this.#key });
  }
}

export function nameOf(vote: Vote, features: readonly Feature[]): string {
  return features.find(({ feature_id }) => feature_id === vote.preferred_feature_id)?.name ?? 'a tie';
}

function first(waiting: ReadonlyMap<string, Vote>): [string, Vote] | undefined {
  return waiting.entries().next().value;
}
