/** The revocations of one process. */
import { HubbubError, type Revocation, type RevocationTarget, revocationId } from '@hubbub/protocol';
import {
  DEFAULT_MAX_REVOCATIONS,
  type RevocationLog,
  type RevocationPage,
  WITHDRAWAL_TTL_MS,
} from '../revocation-log.js';

interface Entry {
  readonly revocation: Revocation | undefined;
  readonly version: number;
  readonly untilMs: number;
}

export class MemoryRevocationLog implements RevocationLog {
  readonly #max: number;
  /** Oldest change first. */
  readonly #entries = new Map<string, Entry>();
  #version = 0;

  constructor(max = DEFAULT_MAX_REVOCATIONS) {
    this.#max = max;
  }

  async revoke(revocation: Revocation): Promise<void> {
    this.#put(revocationId(revocation), revocation, revocation.untilMs);
  }

  async withdraw(target: RevocationTarget): Promise<boolean> {
    this.#forgetEnded();
    const id = revocationId(target);
    const known = this.#entries.get(id)?.revocation !== undefined;
    this.#put(id, undefined, Date.now() + WITHDRAWAL_TTL_MS);
    return known;
  }

  async restore(revocations: readonly Revocation[]): Promise<void> {
    for (const revocation of revocations) {
      const id = revocationId(revocation);
      if (!this.#entries.has(id)) this.#put(id, revocation, revocation.untilMs);
    }
  }

  async read(after: number): Promise<RevocationPage> {
    this.#forgetEnded();
    const changes = [...this.#entries]
      .filter(([, { version }]) => version > after)
      .map(([id, { revocation }]) => ({ id, revocation }));
    return { epoch: 'memory', version: this.#version, changes, next: undefined };
  }

  #put(id: string, revocation: Revocation | undefined, untilMs: number): void {
    this.#forgetEnded();
    if (!this.#entries.has(id) && this.#entries.size >= this.#max) {
      throw new HubbubError('RATE_LIMITED', `There are HUBBUB_MAX_REVOCATIONS (${this.#max}) revocations already.`);
    }
    this.#version++;
    this.#entries.delete(id);
    this.#entries.set(id, { revocation, version: this.#version, untilMs });
  }

  #forgetEnded(): void {
    const now = Date.now();
    for (const [id, { untilMs }] of this.#entries) if (untilMs <= now) this.#entries.delete(id);
  }
}
