/** How far a reader of the lifecycle streams has come: up to where everything it was given is done. */

/** One partition: ids that were given out and are not done, in their order. */
interface Progress {
  /** Everything up to here is done. */
  done: string;
  readonly given: { readonly id: string; isDone: boolean }[];
}

export class LifecyclePositions {
  readonly #partitions = new Map<number, Progress>();

  begin(partition: number, id: string): void {
    this.#partitions.set(partition, { done: id, given: [] });
  }

  /** From where the partition is read on. */
  next(partition: number): string {
    const progress = this.#partitions.get(partition);
    return progress?.given.at(-1)?.id ?? progress?.done ?? '0-0';
  }

  /** Up to where everything is done; `undefined` for a partition that was not begun. */
  done(partition: number): string | undefined {
    return this.#partitions.get(partition)?.done;
  }

  given(partition: number, id: string): void {
    this.#partitions.get(partition)?.given.push({ id, isDone: false });
  }

  /** Returns up to where everything is done now, when that has moved: later entries may be done before earlier ones. */
  finish(partition: number, id: string): string | undefined {
    const progress = this.#partitions.get(partition);
    const entry = progress?.given.find(given => given.id === id);
    if (progress === undefined || entry === undefined) return undefined;
    entry.isDone = true;
    const before = progress.done;
    while (progress.given[0]?.isDone === true) progress.done = progress.given.shift()?.id ?? progress.done;
    return progress.done === before ? undefined : progress.done;
  }
}
