/**
 * Records for `hubbub explain` what nothing else keeps: deviations of sessions, ends of sessions, refused handshakes, and gaps.
 * Bounded; the newest stay.
 */
import { beginningOf, type HubbubError, toWellFormed } from '@hubbub/protocol';
import { TokenBucket } from '@hubbub/runtime';
import type { UpgradeRequest } from '../admission/admission.js';
import { withoutTokens } from '../admission/refusal-log.js';
import { LimitExceeded } from '../limits/limit-exceeded.js';
import type { AccountMetrics } from './account-metrics.js';
import { claimedUser, type PresentingRequest } from './claimed-user.js';
import { Newest } from './newest.js';
import { type AccountedSession, type ClosedSession, closedSession } from './session-facts.js';
import { type Happening, Trail } from './trail.js';

export interface AccountBounds {
  /** Of each kind. */
  readonly explainMaxEntries: number;
  readonly explainMaxBytes: number;
}

export type RefusedHandshake = PresentingRequest & Pick<UpgradeRequest, 'address' | 'pathRoom'>;

/** Refusals of one client, with the same user and room. */
export interface RefusedClient {
  readonly userId: string | undefined;
  readonly room: string | undefined;
  readonly address: string | undefined;
  readonly trail: Trail;
}

export interface Closing {
  readonly code: number;
  /** As the engine reports it. */
  readonly reason: string;
}

const REASON_MAX_LENGTH = 200;
/** About what the fields of a session take, without its rooms. */
const SESSION_BYTES = 400;
/** A flood of refused handshakes must not cost the decoding of as many tokens. */
const CLAIMS_READ = { perSecond: 100, burst: 200 };
/** The key of gaps that may have hit every session. */
const EVERY_SESSION = '';
export type GapSubject = { readonly room: string } | { readonly user: string } | 'every session';

export class Accounts {
  readonly #live: Newest<Trail>;
  readonly #closed: Newest<ClosedSession>;
  readonly #refused: Newest<RefusedClient>;
  readonly #gaps: Newest<Trail>;
  readonly #claims = new TokenBucket(CLAIMS_READ, performance.now());
  readonly #startedAtMs = Date.now();

  constructor({ explainMaxEntries: maxEntries, explainMaxBytes }: AccountBounds, metrics: AccountMetrics) {
    const keep = <Value>(kind: Parameters<AccountMetrics['dropped']>[0], share: number) =>
      new Newest<Value>({ maxEntries, maxBytes: explainMaxBytes * share, onDropped: () => metrics.dropped(kind) });
    this.#live = keep('session', 1 / 4);
    this.#closed = keep('closed_session', 1 / 2);
    this.#refused = keep('refused_handshake', 1 / 8);
    this.#gaps = keep('gap', 1 / 8);
    metrics.observe({
      session: this.#live,
      closed_session: this.#closed,
      refused_handshake: this.#refused,
      gap: this.#gaps,
    });
  }

  /** Milliseconds since 1970; nothing before is known. */
  get startedAtMs(): number {
    return this.#startedAtMs;
  }

  note({ id }: Pick<AccountedSession, 'id'>, happening: Happening): void {
    const trail = this.#live.get(id) ?? new Trail();
    trail.add(happening, Date.now());
    this.#live.put(id, trail, trail.bytes);
  }

  /** Records the refusal of a frame, or of a room of a `resume`. */
  frameRefused(session: Pick<AccountedSession, 'id'>, type: string, error: HubbubError): void {
    this.note(session, { event: 'refused', type, ...refusalOf(error) });
  }

  /** Call it before the session leaves its rooms. */
  sessionClosed(session: AccountedSession, { code, reason }: Closing): void {
    const trail = this.#live.get(session.id);
    this.#live.delete(session.id);
    const closed = closedSession(session, trail, { code, reason: shortened(reason), atMs: Date.now() });
    const roomBytes = closed.rooms.reduce((sum, room) => sum + room.length, 0);
    this.#closed.put(session.id, closed, SESSION_BYTES + roomBytes + (trail?.bytes ?? 0));
  }

  /** Records a refusal that a name can find: of a user, or of the room in the path. */
  handshakeRefused(error: HubbubError, request: RefusedHandshake): void {
    const nowMs = performance.now();
    if (this.#claims.waitMs(nowMs) > 0) return;
    this.#claims.take();
    const userId = claimedUser(request);
    const room = request.pathRoom === '' ? undefined : request.pathRoom;
    if (userId === undefined && room === undefined) return;
    const key = `${userId ?? ''}\n${room ?? ''}`;
    const known = this.#refused.get(key);
    const trail = known?.trail ?? new Trail();
    trail.add({ event: 'refused', ...refusalOf(error) }, Date.now());
    this.#refused.put(key, { userId, room, address: request.address, trail }, trail.bytes);
  }

  /** Messages to these may be missing. */
  gap(subject: GapSubject, reason: string): void {
    const key = gapKey(subject);
    const trail = this.#gaps.get(key) ?? new Trail();
    const room = subject !== 'every session' && 'room' in subject ? subject.room : undefined;
    trail.add({ event: 'gap', room, reason }, Date.now());
    this.#gaps.put(key, trail, trail.bytes);
  }

  trailOf(sessionId: string): Trail | undefined {
    return this.#live.get(sessionId);
  }

  gapsOf(subject: GapSubject): Trail | undefined {
    return this.#gaps.get(gapKey(subject));
  }

  closedSession(sessionId: string): ClosedSession | undefined {
    return this.#closed.get(sessionId);
  }

  /** Oldest first. */
  closedSessionsOf(userId: string): ClosedSession[] {
    return [...this.#closed.values()].filter(({ user }) => user.id === userId);
  }

  refusedClients(matches: (client: RefusedClient) => boolean): RefusedClient[] {
    return [...this.#refused.values()].filter(matches);
  }
}

function gapKey(subject: GapSubject): string {
  if (subject === 'every session') return EVERY_SESSION;
  return 'room' in subject ? `room ${subject.room}` : `user ${subject.user}`;
}

function refusalOf(error: HubbubError): Pick<Happening, 'code' | 'limit' | 'reason'> {
  const limit = error instanceof LimitExceeded ? error.limit : undefined;
  return { code: error.code, limit, reason: shortened(withoutTokens(error.message)) };
}

function shortened(text: string): string {
  return toWellFormed(beginningOf(text, REASON_MAX_LENGTH));
}
