/**
 * Where the token of each connection attempt comes from. Only the edge judges a token: the clock of this device may be hours off.
 */
import { HubbubError } from '@hubbub/protocol';
import { asHubbubError } from './errors.js';

/** The token itself, or a function that is asked at every attempt and some time before the token expires. */
export type TokenOption = string | (() => string | Promise<string>);

export class TokenSource {
  readonly #option: TokenOption | undefined;
  #current: string | undefined;
  /** Asked for in the last session, for the next one. */
  #held: string | undefined;

  constructor(option: TokenOption | undefined) {
    this.#option = option;
  }

  /** Whether asking again may give another token. */
  get renews(): boolean {
    return typeof this.#option === 'function';
  }

  /**
   * Asked once per attempt; `undefined` where sessions are opened without a token.
   * @throws the callback's error; `UNAUTHORIZED` where the token cannot be sent.
   */
  async next(): Promise<string | undefined> {
    if (this.#option === undefined) return undefined;
    const held = this.#held;
    this.#held = undefined;
    return held ?? this.#ask();
  }

  /** Asks for the next token now; `undefined` where it lives no longer than the one we have. @throws as `next`. */
  async prepare(): Promise<string | undefined> {
    const token = await this.#ask();
    return expiryOf(token) > expiryOf(this.#current) ? token : undefined;
  }

  /** Keeps a token for the next attempt; `undefined` forgets it. */
  hold(token: string | undefined): void {
    this.#held = token;
  }

  /** The session, or the attempt to open one, has this token now. */
  use(token: string | undefined): void {
    this.#current = token;
    this.#held = undefined;
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

/** `exp` of a JWT, to be compared with that of another one and with no clock. */
function expiryOf(token: string | undefined): number {
  try {
    const { exp } = JSON.parse(atob(token?.split('.')[1]?.replace(/-/g, '+').replace(/_/g, '/') ?? ''));
    return Number.isFinite(exp) ? exp : Infinity;
  } catch {
    return Infinity; // Not a JWT: the edge decides what it accepts.
  }
}

/** Asked at every join of the room. @throws {HubbubError} the callback's own; `UNAVAILABLE` for whatever else it throws. */
export async function roomTokenOf(option: TokenOption): Promise<string> {
  try {
    return typeof option === 'function' ? await option() : option;
  } catch (cause) {
    throw asHubbubError(cause, 'No room token');
  }
}
