/** Limits the frames of a session, its user and its address on this edge, and closes sessions that exceed them too often. */
import type { Config } from '@hubbub/config';
import { CLOSE_CODES, type CloseCode, type ErrorCode, isAnonymousId, type SessionLimits } from '@hubbub/protocol';
import type { TokenBucket } from '@hubbub/runtime';
import { RememberedBuckets, SharedBuckets } from './keyed-buckets.js';
import { LimitExceeded, type LimitName } from './limit-exceeded.js';
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
    return new FrameAllowance({
      session: this.#sessions?.take(limitKeyOf(user, address), nowMs),
      // Each session without a token is a user of its own, and shares what its address may send.
      user: isAnonymousId(user.id) ? undefined : this.#users?.hold(user.id, nowMs),
      address: this.#addresses?.hold(peerAddress(address).group, nowMs),
      maxRefusalsPerMinute: this.#settings.maxRefusalsPerMinute,
    });
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

interface AllowanceParts {
  readonly session: TokenBucket | undefined;
  readonly user: TokenBucket | undefined;
  readonly address: TokenBucket | undefined;
  readonly maxRefusalsPerMinute: number;
}

/** The remaining frames of one session. */
export class FrameAllowance {
  readonly session: TokenBucket | undefined;
  readonly #buckets: readonly { readonly bucket: TokenBucket; readonly limit: LimitName; readonly who: string }[];
  readonly #maxRefusals: number;
  #minuteBeganMs = Number.NEGATIVE_INFINITY;
  #refusals = 0;
  #rateLimited = 0;

  constructor({ session, user, address, maxRefusalsPerMinute }: AllowanceParts) {
    this.session = session;
    const buckets = [
      { bucket: session, limit: 'session_frames', who: 'this session' },
      { bucket: user, limit: 'user_frames', who: 'the sessions of this user' },
      { bucket: address, limit: 'address_frames', who: 'the sessions of this address' },
    ] as const;
    this.#buckets = buckets.flatMap(({ bucket, ...named }) => (bucket === undefined ? [] : [{ bucket, ...named }]));
    this.#maxRefusals = maxRefusalsPerMinute;
  }

  /** Takes one frame, or returns the exceeded limit. A refused frame takes nothing from user and address. */
  take(nowMs: number): LimitExceeded | undefined {
    const empty = this.#buckets.filter(({ bucket }) => bucket.waitMs(nowMs) > 0);
    const [first] = empty;
    if (first !== undefined) {
      const retryAfterMs = Math.ceil(Math.max(...empty.map(({ bucket }) => bucket.promiseMs(nowMs))));
      return tooMany(first.limit, first.who, retryAfterMs);
    }
    for (const { bucket } of this.#buckets) bucket.take();
    return undefined;
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

function tooMany(limit: LimitName, who: string, retryAfterMs: number): LimitExceeded {
  return new LimitExceeded(
    limit,
    'RATE_LIMITED',
    `Too many frames of ${who}; send again in ${retryAfterMs} ms.`,
    retryAfterMs,
  );
}
