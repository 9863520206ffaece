/** Work in lanes: tasks of one lane in their order, one at a time; lanes side by side. */

export class Lanes {
  readonly #tails = new Map<string, Promise<void>>();

  /** Runs `task` when the earlier ones of the lane are done. It must not reject. */
  run(lane: string, task: () => Promise<void>): void {
    const before = this.#tails.get(lane);
    const tail = (before === undefined ? task() : before.then(task)).finally(() => {
      if (this.#tails.get(lane) === tail) this.#tails.delete(lane);
    });
    this.#tails.set(lane, tail);
  }

  /** Resolves when everything that was given so far is done. */
  async idle(): Promise<void> {
    await Promise.all(this.#tails.values());
  }
}
