/** How many frames a session, its user and its address may send on this edge, and when a session that goes on is closed. */
import { CLOSE_CODES, type CloseCode, type ErrorCode } from '@hubbub/protocol';
import type { Config } from '@hubbub/runtime';
import { LimitExceeded, type LimitName } from './limit-exceeded.js';
import { SharedBuckets } from './shared-buckets.js';
import { TokenBucket } from './token-bucket.js';

export type FrameLimitSettings = Pick<
  Config,
  | 'maxFramesPerSecond'
  | 'maxFramesBurst'
  | 'maxUserFramesPerSecond'
  | 'maxAddressFramesPerSecond'
  | 'maxRefusalsPerMinute'
>;

/** What all sessions of a user, or of an address, may send at once: so many seconds' worth. */
const SHARED_BURST_SECONDS = 2;
const MINUTE_MS = 60_000;

export class FrameLimits {
  readonly #settings: FrameLimitSettings;
  readonly #users: SharedBuckets | undefined;
  readonly #addresses: SharedBuckets | undefined;

  constructor(settings: FrameLimitSettings) {
    this.#settings = settings;
    this.#users = sharedBuckets(settings.maxUserFramesPerSecond);
    this.#addresses = sharedBuckets(settings.maxAddressFramesPerSecond);
  }

  /** For a session with its first frame: one that only listens holds none. @param addressGroup what limits count addresses by */
  open(userId: string, addressGroup: string, nowMs: number): FrameAllowance {
    const { maxFramesPerSecond: perSecond, maxFramesBurst: burst, maxRefusalsPerMinute } = this.#settings;
    return new FrameAllowance({
      session: perSecond === 0 ? undefined : new TokenBucket({ perSecond, burst }, nowMs),
      user: this.#users?.hold(userId, nowMs),
      address: this.#addresses?.hold(addressGroup, nowMs),
      maxRefusalsPerMinute,
    });
  }

  /** Once for each `open`. */
  close(userId: string, addressGroup: string): void {
    this.#users?.release(userId);
    this.#addresses?.release(addressGroup);
  }
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

/** What one session may still send. */
export class FrameAllowance {
  readonly #session: TokenBucket | undefined;
  readonly #user: TokenBucket | undefined;
  readonly #address: TokenBucket | undefined;
  readonly #maxRefusals: number;
  #minuteBeganMs = Number.NEGATIVE_INFINITY;
  #refusals = 0;
  #rateLimited = 0;

  constructor({ session, user, address, maxRefusalsPerMinute }: AllowanceParts) {
    this.#session = session;
    this.#user = user;
    this.#address = address;
    this.#maxRefusals = maxRefusalsPerMinute;
  }

  /** Takes in one frame, or says why not. A frame that is refused is nobody's: it takes nothing from user and address. */
  take(nowMs: number): LimitExceeded | undefined {
    const sessionMs = this.#session?.waitMs(nowMs) ?? 0;
    if (sessionMs > 0) return tooMany('session_frames', 'this session', sessionMs);
    const userMs = this.#user?.waitMs(nowMs) ?? 0;
    if (userMs > 0) return tooMany('user_frames', 'the sessions of this user', userMs);
    const addressMs = this.#address?.waitMs(nowMs) ?? 0;
    if (addressMs > 0) return tooMany('address_frames', 'the sessions of this address', addressMs);
    this.#session?.take();
    this.#user?.take();
    this.#address?.take();
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

function tooMany(limit: LimitName, who: string, waitMs: number): LimitExceeded {
  const retryAfterMs = Math.ceil(waitMs);
  return new LimitExceeded(
    limit,
    'RATE_LIMITED',
    `Too many frames of ${who}; send again in ${retryAfterMs} ms.`,
    retryAfterMs,
  );
}
