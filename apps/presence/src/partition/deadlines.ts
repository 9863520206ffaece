/** What is due when: a binary heap. An entry is never taken back; whoever is woken checks that it is still meant. */

export type Deadline = { readonly atMs: number } & (
  | { readonly kind: 'member'; readonly room: string; readonly user: string }
  | { readonly kind: 'count'; readonly room: string }
  | { readonly kind: 'user'; readonly user: string }
  | { readonly kind: 'incarnation'; readonly incarnation: string }
);

export class Deadlines {
  readonly #heap: Deadline[] = [];

  /** When the next one is due; `Infinity` when nothing is. */
  get nextMs(): number {
    return this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  add(deadline: Deadline): void {
    const heap = this.#heap;
    let at = heap.push(deadline) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || above.atMs <= deadline.atMs) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = deadline;
  }

  /** Takes out the earliest one that is due at `nowMs`. */
  takeDue(nowMs: number): Deadline | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || first.atMs > nowMs) return undefined;
    const last = heap.pop();
    if (last !== undefined && heap.length > 0) this.#sink(last);
    return first;
  }

  #sink(deadline: Deadline): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const left = heap[child];
      const right = heap[child + 1];
      let smaller = left;
      if (left !== undefined && right !== undefined && right.atMs < left.atMs) {
        smaller = right;
        child++;
      }
      if (smaller === undefined || smaller.atMs >= deadline.atMs) break;
      heap[at] = smaller;
      at = child;
    }
    heap[at] = deadline;
  }
}
