/** Binds each idempotency key to one request, in all processes. */
import { IDEMPOTENCY_WINDOW_MS } from '@hubbub/broker';

/**
 * A claim lasts longer than what it guards: the message is remembered from a little after the claim, and each retry renews
 * both or neither.
 */
export const CLAIM_TTL_MS = IDEMPOTENCY_WINDOW_MS + 60_000;

export interface KeyClaims {
  /**
   * True when the key is new, or was claimed for the same fingerprint before.
   * @throws {HubbubError} `UNAVAILABLE`
   */
  claim(key: string, fingerprint: string): Promise<boolean>;
  /** Resolves when what keeps the claims answers. @throws {HubbubError} `UNAVAILABLE` */
  ping(): Promise<void>;
  close(): void;
}
