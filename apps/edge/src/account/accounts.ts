/**
 * Records for `hubbub explain` what nothing else keeps: deviations of sessions, ends of sessions, refused handshakes, and gaps.
 * Bounded; the newest stay.
 */
import { beginningOf, type HubbubError, isRoomName, toWellFormed } from '@hubbub/protocol';
import { TokenBucket } from '@hubbub/runtime';
import { LRUCache } from 'lru-cache';
import type { UpgradeRequest } from '../admission/admission.js';
import { withoutTokens } from '../admission/refusal-log.js';
import { LimitExceeded } from '../limits/limit-exceeded.js';
import type { AccountMetrics } from './account-metrics.js';
import { claimedUser, type PresentingRequest } from './claimed-user.js';
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
/** About what a key and its place in a store take. */
const PLACE_BYTES = 100;
/** A flood of refused handshakes must not cost the decoding of as many tokens. */
const CLAIMS_READ = { perSecond: 100, burst: 200 };
/** The key of gaps that may have hit every session. */
const EVERY_SESSION = '';
export type GapSubject = { readonly room: string } | { readonly user: string } | 'every session';

export class Accounts {
  readonly #live: LRUCache<string, Trail>;
  readonly #closed: LRUCache<string, ClosedSession>;
  readonly #refused: LRUCache<string, RefusedClient>;
  readonly #gaps: LRUCache<string, Trail>;
  readonly #isOff: boolean;
  readonly #claims = new TokenBucket(CLAIMS_READ, performance.now());
  readonly #startedAtMs = Date.now();

  constructor({ explainMaxEntries: maxEntries, explainMaxBytes }: AccountBounds, metrics: AccountMetrics) {
    this.#isOff = maxEntries === 0 || explainMaxBytes === 0;
    const keep = <Value extends object>(kind: Parameters<AccountMetrics['dropped']>[0], share: number) =>
      new LRUCache<string, Value>({
        max: Math.max(1, maxEntries),
        maxSize: Math.max(1, Math.floor(explainMaxBytes * share)),
        dispose: (_value, _key, reason) => {
          if (reason === 'evict') metrics.dropped(kind);
        },
      });
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
    const trail = this.#live.peek(id) ?? new Trail();
    trail.add(happening, Date.now());
    this.#keep(this.#live, id, trail, trail.bytes);
  }

  /** Records the refusal of a frame, or of a room of a `resume`. */
  frameRefused(session: Pick<AccountedSession, 'id'>, type: string, error: HubbubError): void {
    this.note(session, { event: 'refused', type, ...refusalOf(error) });
  }

  /** Call it before the session leaves its rooms. */
  sessionClosed(session: AccountedSession, { code, reason }: Closing): void {
    const trail = this.#live.peek(session.id);
    this.#live.delete(session.id);
    const closed = closedSession(session, trail, { code, reason: shortened(reason), atMs: Date.now() });
    const roomBytes = closed.rooms.reduce((sum, room) => sum + room.length, 0);
    this.#keep(this.#closed, session.id, closed, SESSION_BYTES + roomBytes + (trail?.bytes ?? 0));
  }

  /** Whether the next refused handshake is recorded: its token may be read, within the limit. */
  get recordsRefusals(): boolean {
    return !this.#isOff && this.#claims.waitMs(performance.now()) === 0;
  }

  /** Records a refusal that a name can find: of a user, or of the room in the path. */
  handshakeRefused(error: HubbubError, request: RefusedHandshake): void {
    if (!this.recordsRefusals) return;
    this.#claims.take();
    const userId = claimedUser(request);
    // Only a room that can exist is asked for, and other paths may be long.
    const { pathRoom = '' } = request;
    const room = isRoomName(pathRoom) ? pathRoom : undefined;
    if (userId === undefined && room === undefined) return;
    const key = `${userId ?? ''}\n${room ?? ''}`;
    const known = this.#refused.peek(key);
    const trail = known?.trail ?? new Trail();
    trail.add({ event: 'refused', ...refusalOf(error) }, Date.now());
    this.#keep(this.#refused, key, { userId, room, address: request.address, trail }, trail.bytes);
  }

  /** Messages to these may be missing. */
  gap(subject: GapSubject, reason: string): void {
    const key = gapKey(subject);
    const trail = this.#gaps.peek(key) ?? new Trail();
    const room = subject !== 'every session' && 'room' in subject ? subject.room : undefined;
    trail.add({ event: 'gap', room, reason }, Date.now());
    this.#keep(this.#gaps, key, trail, trail.bytes);
  }

  trailOf(sessionId: string): Trail | undefined {
    return this.#live.peek(sessionId);
  }

  gapsOf(subject: GapSubject): Trail | undefined {
    return this.#gaps.peek(gapKey(subject));
  }

  closedSession(sessionId: string): ClosedSession | undefined {
    return this.#closed.peek(sessionId);
  }

  /** Oldest first. */
  closedSessionsOf(userId: string): ClosedSession[] {
    return oldestFirst(this.#closed).filter(({ user }) => user.id === userId);
  }

  refusedClients(matches: (client: RefusedClient) => boolean): RefusedClient[] {
    return oldestFirst(this.#refused).filter(matches);
  }

  /** @param bytes that the value takes now, estimated */
  #keep<Value extends object>(store: LRUCache<string, Value>, key: string, value: Value, bytes: number): void {
    if (!this.#isOff) store.set(key, value, { size: bytes + PLACE_BYTES + 2 * key.length });
  }
}

function oldestFirst<Value extends object>(store: LRUCache<string, Value>): Value[] {
  return [...store.rvalues()].filter(value => value !== undefined) as Value[];
}

function gapKey(subject: GapSubject): string {
  if (subject === 'every session') return EVERY_SESSION;
  return 'room' in subject ? `room ${subject.room}` : `user ${subject.user}`;
}

function refusalOf(error: HubbubError): Pick<Happening, 'code' | 'limit' | 'reason'> {
  const limit = error instanceof LimitExceeded ? error.limit : undefined;
  return { code: error.code, limit, reason: shortened(withoutTokens(error.message)) };
}

/** A copy: V8 makes the beginning of a text a view of it, which would keep a frame of 64 KiB for 200 characters. */
function shortened(text: string): string {
  return Buffer.from(toWellFormed(beginningOf(text, REASON_MAX_LENGTH))).toString();
}
