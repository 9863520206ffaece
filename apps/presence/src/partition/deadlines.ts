/** Deadlines: a binary heap that holds at most one deadline for each subject. */

export type Subject =
  | { readonly kind: 'member'; readonly room: string; readonly user: string }
  | { readonly kind: 'count'; readonly room: string }
  | { readonly kind: 'user'; readonly user: string }
  | { readonly kind: 'incarnation'; readonly incarnation: string }
  | { readonly kind: 'restoration' };

export type Deadline = { readonly atMs: number } & Subject;

interface Entry {
  readonly key: string;
  readonly deadline: Deadline;
  /** Its place in the heap. */
  at: number;
}

export class Deadlines {
  readonly #heap: Entry[] = [];
  readonly #entries = new Map<string, Entry>();

  get size(): number {
    return this.#heap.length;
  }

  /** When the next one is due; `Infinity` when nothing is. */
  get nextMs(): number {
    return this.#heap[0]?.deadline.atMs ?? Number.POSITIVE_INFINITY;
  }

  /** Sets the deadline of its subject, in place of the one that it had. */
  set(deadline: Deadline): void {
    this.clear(deadline);
    const entry = { key: keyOf(deadline), deadline, at: this.#heap.length };
    this.#entries.set(entry.key, entry);
    this.#heap.push(entry);
    this.#rise(entry);
  }

  /** Takes back the deadline of a subject, if it has one. */
  clear(subject: Subject): void {
    const entry = this.#entries.get(keyOf(subject));
    if (entry !== undefined) this.#remove(entry);
  }

  /** Takes out the earliest one that is due at `nowMs`. */
  takeDue(nowMs: number): Deadline | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.deadline.atMs > nowMs) return undefined;
    this.#remove(first);
    return first.deadline;
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.key);
    const last = this.#heap.pop();
    if (last === undefined || last === entry) return;
    this.#place(last, entry.at);
    this.#rise(last);
    this.#sink(last);
  }

  #place(entry: Entry, at: number): void {
    entry.at = at;
    this.#heap[at] = entry;
  }

  #rise(entry: Entry): void {
    while (entry.at > 0) {
      const { at } = entry;
      const parent = this.#heap[(at - 1) >> 1];
      if (parent === undefined || parent.deadline.atMs <= entry.deadline.atMs) return;
      this.#place(entry, parent.at);
      this.#place(parent, at);
    }
  }

  #sink(entry: Entry): void {
    for (;;) {
      const { at } = entry;
      const [left, right] = [this.#heap[2 * at + 1], this.#heap[2 * at + 2]];
      const child =
        right !== undefined && left !== undefined && right.deadline.atMs < left.deadline.atMs ? right : left;
      if (child === undefined || child.deadline.atMs >= entry.deadline.atMs) return;
      this.#place(entry, child.at);
      this.#place(child, at);
    }
  }
}

/** Neither a room's name nor a kind has a space in it. */
function keyOf(subject: Subject): string {
  switch (subject.kind) {
    case 'member':
      return `member ${subject.room} ${subject.user}`;
    case 'count':
      return `count ${subject.room}`;
    case 'user':
      return `user ${subject.user}`;
    case 'incarnation':
      return `incarnation ${subject.incarnation}`;
    case 'restoration':
      return 'restoration';
  }
}
