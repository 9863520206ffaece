/** The sessions of this edge, by id, and where their ids come from. */
import { randomBytes } from 'node:crypto';
import type { Session } from './session.js';

export class Sessions implements Iterable<Session> {
  readonly #byId = new Map<string, Session>();
  /** 48 random bits for each process, so that ids are unique in the cluster without asking anybody. */
  readonly #prefix = randomBytes(6).toString('base64url');
  #count = 0;

  get size(): number {
    return this.#byId.size;
  }

  nextId(): string {
    this.#count++;
    return `${this.#prefix}.${this.#count.toString(36)}`;
  }

  get(id: string): Session | undefined {
    return this.#byId.get(id);
  }

  add(session: Session): void {
    this.#byId.set(session.id, session);
  }

  delete(session: Session): void {
    this.#byId.delete(session.id);
  }

  [Symbol.iterator](): Iterator<Session> {
    return this.#byId.values();
  }
}
