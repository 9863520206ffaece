/** Waits until a replica of a server has what the server has written: one WAIT for all callers of a moment. */
import type { Redis } from 'ioredis';
import { connected } from './connection.js';
import { termIn } from './server-term.js';
import type { RedisShard } from './topology.js';

/** A replica that has a message keeps it if its primary fails. More of them would wait for the slowest. */
const REPLICAS = 1;
/** A WAIT that is later than it promised by this time sits on a dead connection. */
const OVERDUE_MS = 1000;
/** Callers that may wait; a publisher learns `OUTCOME_UNKNOWN` immediately above it. */
const WAITING_MAX = 100_000;

/** A write that the server has executed and answered. */
export interface ExecutedWrite {
  /** A key of it, which still exists; its time to live is renewed. */
  readonly key: string;
  readonly ttlMs: number;
  /** Of the server that executed it. */
  readonly term: string;
}

export interface WaitOutcome {
  readonly durationMs: number;
  readonly confirmed: number;
  readonly unconfirmed: number;
}

export interface ReplicaWaitOptions {
  readonly timeoutMs: number;
  onOutcome(outcome: WaitOutcome): void;
}

interface Waiting extends ExecutedWrite {
  resolve(isConfirmed: boolean): void;
}

export class ReplicaWait {
  readonly #shard: Pick<RedisShard, 'openReader'>;
  readonly #options: ReplicaWaitOptions;
  #connection: Redis | undefined;
  #waiting: Waiting[] = [];
  #isRunning = false;

  constructor(shard: Pick<RedisShard, 'openReader'>, options: ReplicaWaitOptions) {
    this.#shard = shard;
    this.#options = options;
  }

  /**
   * Resolves with whether a replica has the write, after at most twice the timeout: a WAIT in flight may not cover it.
   * Never rejects.
   */
  confirm(write: ExecutedWrite): Promise<boolean> {
    return new Promise(resolve => {
      if (this.#waiting.length >= WAITING_MAX) return resolve(false);
      this.#waiting.push({ ...write, resolve });
      if (this.#isRunning) return;
      this.#isRunning = true;
      // The answers of one read of the socket share a WAIT.
      setImmediate(() => void this.#run());
    });
  }

  async #run(): Promise<void> {
    for (let batch = this.#waiting.splice(0); batch.length > 0; batch = this.#waiting.splice(0)) {
      const startedAtMs = performance.now();
      const term = await this.#termOfReplicated(batch[batch.length - 1] as Waiting);
      let confirmed = 0;
      for (const write of batch) {
        const isConfirmed = write.term === term;
        if (isConfirmed) confirmed++;
        write.resolve(isConfirmed);
      }
      const durationMs = performance.now() - startedAtMs;
      this.#options.onOutcome({ durationMs, confirmed, unconfirmed: batch.length - confirmed });
    }
    this.#isRunning = false;
  }

  /**
   * The term of a server of which a replica has all writes until now, `undefined` if there is none. WAIT is on a connection of
   * its own, because it blocks it. It covers the writes of its connection, and so all that the server executed before them: the
   * replication stream has one order.
   */
  async #termOfReplicated({ key, ttlMs }: ExecutedWrite): Promise<string | undefined> {
    const { timeoutMs } = this.#options;
    this.#connection ??= this.#shard.openReader();
    const connection = this.#connection;
    const overdue = setTimeout(() => connection.disconnect(true), timeoutMs + OVERDUE_MS);
    try {
      await connected(connection, timeoutMs);
      const [wrote, info, wait] =
        (await connection
          .pipeline()
          .pexpire(key, ttlMs)
          .info('replication')
          .call('WAIT', REPLICAS, timeoutMs)
          .exec()) ?? [];
      if (wrote?.[0] || wrote?.[1] !== 1 || wait?.[0] || Number(wait?.[1]) < REPLICAS) return undefined;
      // Without the right to INFO, no term is known anywhere.
      return info?.[0] ? '' : termIn(String(info?.[1]));
    } catch {
      return undefined; // Not connected, or broken before the answer.
    } finally {
      clearTimeout(overdue);
    }
  }
}
