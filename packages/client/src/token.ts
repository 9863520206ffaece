/** Where the token of each connection attempt comes from. */
import { HubbubError } from '@hubbub/protocol';

/** The token itself, or a function that is asked at every attempt and may fetch a fresh one. */
export type TokenOption = string | (() => string | Promise<string>);

/** Asked once per attempt. Renewal before expiry (issue 4) reads `exp` here and calls `Connection.moveAfter`. */
export class TokenSource {
  readonly #option: TokenOption;

  constructor(option: TokenOption) {
    this.#option = option;
  }

  /** Whether asking again may give another token. */
  get renews(): boolean {
    return typeof this.#option === 'function';
  }

  /** @throws whatever the callback throws; `UNAUTHORIZED` where the token cannot be sent. */
  async next(): Promise<string> {
    const token = typeof this.#option === 'function' ? await this.#option() : this.#option;
    // A subprotocol is an HTTP token (RFC 6455 section 4.1): anything but a JWT's letters makes `new WebSocket` throw.
    if (typeof token !== 'string' || !/^[\w.~+-]+$/.test(token)) {
      throw new HubbubError('UNAUTHORIZED', 'The token is not a JWT.');
    }
    return token;
  }
}
