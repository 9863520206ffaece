/** Where the token of each connection attempt comes from, and when it expires. */
import { HubbubError } from '@hubbub/protocol';

/** The token itself, or a function that is asked at every attempt and some time before the token expires. */
export type TokenOption = string | (() => string | Promise<string>);

/** Milliseconds that this clock may be ahead: a token is not called expired for it. */
const CLOCK_LEEWAY_MS = 60_000;

export class TokenSource {
  readonly #option: TokenOption | undefined;
  #current: string | undefined;
  /** Asked for before it was needed. */
  #prepared: string | undefined;

  constructor(option: TokenOption | undefined) {
    this.#option = option;
  }

  /** Whether asking again may give another token. */
  get renews(): boolean {
    return typeof this.#option === 'function';
  }

  /** When the session's token, or that of the last attempt, expires, in milliseconds since 1970, where it says so. */
  get expiresAtMs(): number | undefined {
    return this.#current === undefined ? undefined : expiryMs(this.#current);
  }

  /**
   * Asked once per attempt; `undefined` where sessions are opened without a token.
   * @throws whatever the callback throws; `UNAUTHORIZED` where the token cannot be sent, or is fixed and has expired.
   */
  async next(): Promise<string | undefined> {
    if (this.#option === undefined) return undefined;
    const prepared = this.#prepared;
    this.#prepared = undefined;
    // One that was prepared for a session long gone may be over by now.
    const fresh = prepared !== undefined && (expiryMs(prepared) ?? Infinity) > Date.now();
    this.#current = fresh ? prepared : await this.#ask();
    // Browsers are not told of a 401: a fixed token would be tried for ever.
    if (!this.renews && (this.expiresAtMs ?? Infinity) + CLOCK_LEEWAY_MS < Date.now()) {
      throw new HubbubError('UNAUTHORIZED', 'The token has expired, and there is no function to renew it.');
    }
    return this.#current;
  }

  /** Asks for the next token now; `undefined` where it lives no longer than the one we have. @throws as `next`. */
  async prepare(): Promise<string | undefined> {
    const token = await this.#ask();
    if ((expiryMs(token) ?? Infinity) <= (this.expiresAtMs ?? Infinity)) return undefined;
    this.#prepared = token;
    return token;
  }

  /** The session has the prepared token now. */
  renewed(): void {
    this.#current = this.#prepared ?? this.#current;
    this.#prepared = undefined;
  }

  async #ask(): Promise<string> {
    const token = typeof this.#option === 'function' ? await this.#option() : this.#option;
    // A subprotocol is an HTTP token (RFC 6455 section 4.1): anything but a JWT's letters makes `new WebSocket` throw.
    if (typeof token !== 'string' || !/^[\w.~+-]+$/.test(token)) {
      throw new HubbubError('UNAUTHORIZED', 'The token is not a JWT.');
    }
    return token;
  }
}

/** `exp` of a JWT, in milliseconds. Read without verifying: only the edge judges a token. */
function expiryMs(token: string): number | undefined {
  try {
    const claims = JSON.parse(atob(token.split('.')[1]?.replace(/-/g, '+').replace(/_/g, '/') ?? ''));
    return Number.isFinite(claims?.exp) ? claims.exp * 1_000 : undefined;
  } catch {
    return undefined; // Not a JWT as we know it: the edge will say what it thinks of it.
  }
}

/** Asked at every join of the room. @throws {HubbubError} the callback's own; `UNAVAILABLE` for whatever else it throws. */
export async function roomTokenOf(option: TokenOption): Promise<string> {
  try {
    return typeof option === 'function' ? await option() : option;
  } catch (cause) {
    if (cause instanceof HubbubError) throw cause;
    throw new HubbubError('UNAVAILABLE', 'The room token could not be fetched.', { cause });
  }
}
