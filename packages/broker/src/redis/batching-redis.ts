/** A client of Redis that sends few writes, and never keeps a command for long. */
import type { Socket } from 'node:net';
import { Redis, type RedisOptions } from 'ioredis';

/**
 * Commands that leave in one write, at most. With more than 1,024 ready sockets, libuv reads up to 48 × 1,024 events before the
 * turn ends (`uv__io_poll`). That takes an edge seconds; the commands do not wait for it.
 */
export const COMMANDS_PER_WRITE = 64;

/**
 * Writes commands together, as Nagle's algorithm does (RFC 896). While an answer is awaited, further commands wait for it, for
 * the end of the turn, or for a full write. The automatic pipelines of ioredis wait for all answers.
 */
export class BatchingRedis extends Redis {
  /** Its commands wait. */
  #corked: Socket | undefined;
  #waiting = 0;
  #awaitsAnswer = false;

  constructor(options: RedisOptions) {
    super(options);
    this.on('connect', () => {
      this.#awaitsAnswer = false;
      this.stream.on('data', () => {
        this.#awaitsAnswer = false;
        this.#write();
      });
    });
  }

  override sendCommand(...command: Parameters<Redis['sendCommand']>): unknown {
    if (this.status !== 'ready') return super.sendCommand(...command);
    if (!this.#awaitsAnswer) this.#awaitsAnswer = true;
    else if (this.#corked === undefined) {
      this.#corked = this.stream as Socket;
      this.#corked.cork();
      setImmediate(() => this.#write());
    }
    const answer = super.sendCommand(...command);
    if (this.#corked !== undefined && ++this.#waiting >= COMMANDS_PER_WRITE) this.#write();
    return answer;
  }

  #write(): void {
    if (this.#corked === undefined) return;
    this.#corked.uncork();
    this.#corked = undefined;
    this.#waiting = 0;
    this.#awaitsAnswer = true;
  }
}
