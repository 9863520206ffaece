/** Commands about one slot of a Redis Cluster: repeated where the slot has moved, and in the order of their calls. */
import { HubbubError } from '@hubbub/protocol';

/** The answer of a server that does not execute a command (Redis Cluster specification, "Redirection"). */
export type Redirection =
  | { readonly kind: 'moved' | 'ask'; readonly host: string; readonly port: number }
  | { readonly kind: 'again' };

/** Executes a command once; with an address, where the slot is being moved to. */
export type Attempt<Result> = (ask?: { readonly host: string; readonly port: number }) => Promise<Result>;

interface Task {
  readonly order: number;
  readonly deadlineMs: number;
  readonly attempt: Attempt<unknown>;
  resolve(result: unknown): void;
  reject(error: unknown): void;
  redirection: Redirection | undefined;
}

const PAUSE_MS = 20;

export class SlotQueue {
  readonly #moved: (target: { readonly host: string; readonly port: number }) => void;
  readonly #timeoutMs: number;
  /** Redirected, or called since another one was redirected. */
  #held: Task[] = [];
  #isHeld = false;
  #running = 0;
  #calls = 0;

  /** @param timeoutMs a command that is still redirected after this time is refused */
  constructor(timeoutMs: number, moved: (target: { readonly host: string; readonly port: number }) => void) {
    this.#timeoutMs = timeoutMs;
    this.#moved = moved;
  }

  get isIdle(): boolean {
    return this.#running === 0 && this.#held.length === 0;
  }

  run<Result>(attempt: Attempt<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const task: Task = {
        order: this.#calls++,
        deadlineMs: performance.now() + this.#timeoutMs,
        attempt,
        resolve: resolve as (result: unknown) => void,
        reject,
        redirection: undefined,
      };
      if (this.#isHeld) this.#held.push(task);
      else this.#start(task);
    });
  }

  #start(task: Task): void {
    this.#running++;
    const { redirection } = task;
    task.redirection = undefined;
    const target = redirection?.kind === 'ask' ? redirection : undefined;
    task
      .attempt(target)
      .then(task.resolve, error => this.#failed(task, error))
      .finally(() => {
        this.#running--;
        // Each command that was sent is answered: the order of the others is known.
        if (this.#isHeld && this.#running === 0) this.#release();
      });
  }

  #failed(task: Task, error: unknown): void {
    const redirection = redirectionOf(error);
    if (redirection === undefined) {
      task.reject(error);
      return;
    }
    if (performance.now() >= task.deadlineMs) {
      task.reject(new HubbubError('UNAVAILABLE', 'The slot of this name is moving.', { cause: error }));
      return;
    }
    if (redirection.kind === 'moved') this.#moved(redirection);
    task.redirection = redirection;
    this.#isHeld = true;
    this.#held.push(task);
  }

  #release(): void {
    const pause = this.#held.some(({ redirection }) => redirection?.kind === 'again') ? PAUSE_MS : 0;
    setTimeout(() => {
      this.#isHeld = false;
      const tasks = this.#held.sort((a, b) => a.order - b.order);
      this.#held = [];
      for (const task of tasks) this.#start(task);
    }, pause);
  }
}

const REDIRECTION = /^(MOVED|ASK) \d+ (.+):(\d+)$/;
const AGAIN = /^(TRYAGAIN|CLUSTERDOWN)\b/;

function redirectionOf(error: unknown): Redirection | undefined {
  if (!(error instanceof Error)) return undefined;
  const [, kind, host = '', port] = REDIRECTION.exec(error.message) ?? [];
  if (kind !== undefined) return { kind: kind === 'ASK' ? 'ask' : 'moved', host, port: Number(port) };
  return AGAIN.test(error.message) ? { kind: 'again' } : undefined;
}
