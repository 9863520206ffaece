/** Sends votes one after the other, the newest of each comparison only, and as slowly as the edge wants them. */
import { HubbubError, type Room } from '@hubbub/client';
import type { Vote } from './frames.js';

export type Sending = 'sending' | 'slowed';

export interface VoteSenderPorts {
  /** A comparison's vote is on its way, waits for the limit, or neither any more. */
  changed(comparisonId: string, sending: Sending | undefined): void;
  /** It was not taken, and trying again would not help. */
  failed(comparisonId: string, error: unknown): void;
}

/** The limit is one message a second: a token is back by then. */
const RETRY_MS = 1100;

export class VoteSender {
  readonly #room: Room;
  readonly #ports: VoteSenderPorts;
  readonly #waiting = new Map<string, Vote>();
  #running = false;

  constructor(room: Room, ports: VoteSenderPorts) {
    this.#room = room;
    this.#ports = ports;
  }

  send(comparisonId: string, vote: Vote): void {
    this.#waiting.set(comparisonId, vote);
    this.#ports.changed(comparisonId, 'sending');
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let next = first(this.#waiting); next !== undefined; next = first(this.#waiting)) {
      const [comparisonId, vote] = next;
      this.#waiting.delete(comparisonId);
      try {
        await this.#deliver(comparisonId, vote);
      } catch (error) {
        this.#ports.failed(comparisonId, error);
      }
      if (!this.#waiting.has(comparisonId)) this.#ports.changed(comparisonId, undefined);
    }
    this.#running = false;
  }

  /** Again with the same id, so that a vote whose answer was lost is not counted twice. */
  async #deliver(comparison_id: string, vote: Vote): Promise<void> {
    const id = crypto.randomUUID();
    for (;;) {
      try {
        await this.#room.sendEvent('vote_submitted', { vote: { comparison_id, ...vote } }, { id });
        return;
      } catch (error) {
        const mayRetry = error instanceof HubbubError && (error.retryable || error.code === 'OUTCOME_UNKNOWN');
        if (!mayRetry || this.#room.state === 'left') throw error;
        if (this.#waiting.has(comparison_id)) return; // A newer vote takes its place.
        if (error.code === 'RATE_LIMITED') this.#ports.changed(comparison_id, 'slowed');
        await new Promise(resolve => setTimeout(resolve, RETRY_MS));
      }
    }
  }
}

function first(waiting: ReadonlyMap<string, Vote>): [string, Vote] | undefined {
  return waiting.entries().next().value;
}
