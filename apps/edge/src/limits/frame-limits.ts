/** Limits the frames of a session, its user and its address on this edge, and closes sessions that exceed them too often. */
import type { Config } from '@hubbub/config';
import { CLOSE_CODES, type CloseCode, type ErrorCode, isAnonymousId, type SessionLimits } from '@hubbub/protocol';
import type { TokenBucket } from '@hubbub/runtime';
import { Budget, type FrameClock } from './budget.js';
import { RememberedBuckets, SharedBuckets } from './keyed-buckets.js';
import type { LimitExceeded } from './limit-exceeded.js';
import { type Limited, limitKeyOf, peerAddress } from './limit-key.js';

export type FrameLimitSettings = Pick<
  Config,
  | 'maxFramesPerSecond'
  | 'maxFramesBurst'
  | 'maxUserFramesPerSecond'
  | 'maxAddressFramesPerSecond'
  | 'maxRefusalsPerMinute'
>;

/** The burst of all sessions of a user, or of an address, in seconds of the rate. */
const SHARED_BURST_SECONDS = 2;
const MINUTE_MS = 60_000;

export class FrameLimits {
  readonly #settings: FrameLimitSettings;
  readonly #sessions: RememberedBuckets | undefined;
  readonly #users: SharedBuckets | undefined;
  readonly #addresses: SharedBuckets | undefined;

  constructor(settings: FrameLimitSettings) {
    this.#settings = settings;
    const { maxFramesPerSecond: perSecond, maxFramesBurst: burst } = settings;
    this.#sessions = perSecond === 0 ? undefined : new RememberedBuckets({ perSecond, burst });
    this.#users = sharedBuckets(settings.maxUserFramesPerSecond);
    this.#addresses = sharedBuckets(settings.maxAddressFramesPerSecond);
  }

  /** Buckets of users and addresses, and those that sessions left behind. */
  size(nowMs: number): number {
    const shared = (this.#users?.size(nowMs) ?? 0) + (this.#addresses?.size(nowMs) ?? 0);
    this.#sessions?.forgetFull(nowMs);
    return shared + (this.#sessions?.size ?? 0);
  }

  /** For a session with its first frame: one that only listens holds none. A session that reconnects continues with the rest of its allowance. */
  open({ user, address }: Limited, nowMs: number): FrameAllowance {
    const clock = { nowMs };
    const budget = new Budget({
      resource: 'frames',
      clock,
      session: this.#sessions?.take(limitKeyOf(user, address), nowMs),
      // Each session without a token is a user of its own, and shares what its address may send.
      user: isAnonymousId(user.id) ? undefined : this.#users?.hold(user.id, nowMs),
      address: this.#addresses?.hold(peerAddress(address).group, nowMs),
    });
    return new FrameAllowance(budget, clock, this.#settings.maxRefusalsPerMinute);
  }

  /** Once for each `open`. */
  close({ user, address }: Limited, { session }: FrameAllowance, nowMs: number): void {
    if (session !== undefined) this.#sessions?.put(limitKeyOf(user, address), session, nowMs);
    if (!isAnonymousId(user.id)) this.#users?.release(user.id, nowMs);
    this.#addresses?.release(peerAddress(address).group, nowMs);
  }
}

/** Frames that may wait for an earlier one of their session: the whole burst, so that each of `max_rooms` joins fits. */
export function maxWaitingFrames(limits: Pick<SessionLimits, 'max_frames_burst' | 'max_rooms'>): number {
  return Math.max(limits.max_frames_burst, limits.max_rooms);
}

function sharedBuckets(perSecond: number): SharedBuckets | undefined {
  return perSecond === 0 ? undefined : new SharedBuckets({ perSecond, burst: SHARED_BURST_SECONDS * perSecond });
}

/** The remaining frames of one session. */
export class FrameAllowance {
  readonly #budget: Budget;
  readonly #clock: FrameClock;
  readonly #maxRefusals: number;
  #minuteBeganMs = Number.NEGATIVE_INFINITY;
  #refusals = 0;
  #rateLimited = 0;

  constructor(budget: Budget, clock: FrameClock, maxRefusalsPerMinute: number) {
    this.#budget = budget;
    this.#clock = clock;
    this.#maxRefusals = maxRefusalsPerMinute;
  }

  /** To be remembered when the session ends. */
  get session(): TokenBucket | undefined {
    return this.#budget.session;
  }

  /** Takes one frame, or returns the exceeded limit. A refused frame takes nothing. */
  take(nowMs: number): LimitExceeded | undefined {
    this.#clock.nowMs = nowMs;
    const refusal = this.#budget.refusal();
    if (refusal === undefined) this.#budget.charge(1);
    return refusal;
  }

  /** A frame was refused. Returns the code to close with when that was one too many within a minute (PROTOCOL.md section 4). */
  refused(code: ErrorCode, nowMs: number): CloseCode | undefined {
    if (nowMs - this.#minuteBeganMs >= MINUTE_MS) {
      this.#minuteBeganMs = nowMs;
      this.#refusals = 0;
      this.#rateLimited = 0;
    }
    this.#refusals++;
    if (code === 'RATE_LIMITED') this.#rateLimited++;
    if (this.#refusals <= this.#maxRefusals) return undefined;
    return this.#rateLimited > this.#refusals / 2 ? CLOSE_CODES.TOO_MANY_FRAMES : CLOSE_CODES.PROTOCOL_ABUSE;
  }
}
