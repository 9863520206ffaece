/** Sessions of the console: a cookie that stands for an API key, which never returns to the browser. */
import { randomBytes } from 'node:crypto';

export interface ConsoleSession {
  /** The API key; sent to the HTTP API alone. */
  readonly key: string;
  /** Changing requests repeat it in a header, which no other site can set. */
  readonly csrfToken: string;
  readonly expiresAtMs: number;
}

/** A working day. */
export const SESSION_MS = 12 * 3_600_000;
/** The oldest one makes place. */
export const SESSIONS_MAX = 1000;

export class ConsoleSessions {
  readonly #now: () => number;
  /** By the cookie's value, oldest first. */
  readonly #byId = new Map<string, ConsoleSession>();

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  open(key: string): { readonly id: string; readonly session: ConsoleSession } {
    const [id, csrfToken] = [randomText(), randomText()];
    const session = { key, csrfToken, expiresAtMs: this.#now() + SESSION_MS };
    this.#byId.set(id, session);
    const [oldest] = this.#byId.keys();
    if (this.#byId.size > SESSIONS_MAX && oldest !== undefined) this.#byId.delete(oldest);
    return { id, session };
  }

  /** `undefined` for one that has expired or never was. */
  get(id: string | undefined): ConsoleSession | undefined {
    const session = id === undefined ? undefined : this.#byId.get(id);
    if (id === undefined || session === undefined) return undefined;
    if (session.expiresAtMs > this.#now()) return session;
    this.#byId.delete(id);
    return undefined;
  }

  close(id: string | undefined): void {
    if (id !== undefined) this.#byId.delete(id);
  }
}

function randomText(): string {
  return randomBytes(32).toString('base64url');
}
