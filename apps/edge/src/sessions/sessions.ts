/** The sessions of this edge, by id and by user, and where their ids come from. */
import { randomBytes } from 'node:crypto';
import type { Session } from './session.js';

export class Sessions implements Iterable<Session> {
  readonly #byId = new Map<string, Session>();
  /** Most users have one session, and a set for each would take more memory than all else here. */
  readonly #byUser = new Map<string, Session | Set<Session>>();
  /** 48 random bits for each process, so that ids are unique in the cluster without asking anybody. */
  readonly #random = randomBytes(6);
  readonly #prefix = this.#random.toString('base64url');
  #count = 0;

  get size(): number {
    return this.#byId.size;
  }

  nextId(): string {
    this.#count++;
    return `${this.#prefix}.${this.#count.toString(36)}`;
  }

  /** As `nextId`, of the form that the Pusher protocol has for its sockets: `<digits>.<digits>`. */
  nextSocketId(): string {
    this.#count++;
    return `${this.#random.readUIntBE(0, 6)}.${this.#count}`;
  }

  get(id: string): Session | undefined {
    return this.#byId.get(id);
  }

  /** Those that are opening included. */
  ofUser(userId: string): Iterable<Session> {
    const known = this.#byUser.get(userId);
    if (known === undefined) return [];
    return known instanceof Set ? known : [known];
  }

  add(session: Session): void {
    this.#byId.set(session.id, session);
    const known = this.#byUser.get(session.user.id);
    if (known instanceof Set) known.add(session);
    else this.#byUser.set(session.user.id, known === undefined ? session : new Set([known, session]));
  }

  delete(session: Session): void {
    this.#byId.delete(session.id);
    const known = this.#byUser.get(session.user.id);
    if (known instanceof Set) known.delete(session);
    if (known === session || (known instanceof Set && known.size === 0)) this.#byUser.delete(session.user.id);
  }

  [Symbol.iterator](): Iterator<Session> {
    return this.#byId.values();
  }
}
