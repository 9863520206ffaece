/** Combines the batches of several rooms that wait for a free request, so that many quiet rooms need few requests. */
import type { WebhookEvent } from '@hubbub/server';
import { DeliveryFailure } from './delivery-failure.js';

/** An event, encoded once. */
export interface EncodedEvent {
  readonly id: WebhookEvent['id'];
  readonly json: string;
  readonly bytes: number;
}

export interface CombinerOptions {
  /** Requests in flight. */
  readonly concurrency: number;
  readonly maxEvents: number;
  readonly maxBytes: number;
  send(events: readonly EncodedEvent[], signal: AbortSignal): Promise<void>;
}

interface Part {
  readonly events: readonly EncodedEvent[];
  /** Whether it shares its request with no other part: a failure is then about its own events. */
  readonly isAlone: boolean;
  readonly signal: AbortSignal;
  done(): void;
  failed(error: unknown): void;
}

export class Combiner {
  readonly #options: CombinerOptions;
  #waiting: Part[] = [];
  #inFlight = 0;
  #isScheduled = false;

  constructor(options: CombinerOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the receiver has accepted the events.
   * @throws {DeliveryFailure} not final if the request had other events, too
   */
  send(events: readonly EncodedEvent[], { isAlone, signal }: Pick<Part, 'isAlone' | 'signal'>): Promise<void> {
    return new Promise((done, failed) => {
      this.#waiting.push({ events, isAlone, signal, done, failed });
      // Rooms whose linger ends in the same turn share a request.
      if (!this.#isScheduled) setImmediate(() => this.#begin());
      this.#isScheduled = true;
    });
  }

  #begin(): void {
    this.#isScheduled = false;
    while (this.#inFlight < this.#options.concurrency) {
      const parts = this.#next();
      if (parts.length === 0) return;
      this.#inFlight++;
      void this.#sendTogether(parts).finally(() => {
        this.#inFlight--;
        this.#begin();
      });
    }
  }

  #next(): readonly Part[] {
    const { maxEvents, maxBytes } = this.#options;
    const [first, ...others] = this.#waiting;
    if (first === undefined) return [];
    const parts = [first];
    let events = first.events.length;
    let bytes = bytesOf(first);
    for (const part of first.isAlone ? [] : others) {
      if (part.isAlone || events + part.events.length > maxEvents || bytes + bytesOf(part) > maxBytes) break;
      parts.push(part);
      events += part.events.length;
      bytes += bytesOf(part);
    }
    this.#waiting = this.#waiting.slice(parts.length);
    return parts;
  }

  async #sendTogether(parts: readonly Part[]): Promise<void> {
    const signals = [...new Set(parts.map(({ signal }) => signal))];
    try {
      await this.#options.send(
        parts.flatMap(({ events }) => events),
        AbortSignal.any(signals),
      );
      for (const part of parts) part.done();
    } catch (error) {
      const failure = parts.length > 1 && error instanceof DeliveryFailure ? error.ofSeveral() : error;
      for (const part of parts) part.failed(failure);
    }
  }
}

function bytesOf({ events }: Part): number {
  return events.reduce((sum, { bytes }) => sum + bytes, 0);
}
