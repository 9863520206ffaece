/** Where domain events come from. In memory for the embedded default; `redis/` has the one that other programs reach. */
import { UnusableEvent } from './domain-events.js';

/** One event on its way, as it came. */
export interface BusEntry {
  /** Grows with each event: milliseconds, a dash, a number. It stays the same when handling is repeated. */
  readonly entryId: string;
  readonly text: string;
}

/** Throws {@link UnusableEvent} for what is to be given up; after any other error the event is tried again. */
export type BusHandler = (entry: BusEntry) => Promise<void>;

/**
 * Guarantees: each event is handled at least once, in the order of the bus, by one instance of the service at a time.
 */
export interface DomainEventBus {
  /** Puts an event on the bus, as another program would. */
  publish(text: string): Promise<void>;
  /** How a person does that in a shell, where one can: a command that lacks its last word, the event. */
  readonly commands: readonly string[];
  close(): Promise<void>;
}

const RETRY_MS = 500;

export class MemoryDomainEventBus implements DomainEventBus {
  readonly commands = [];
  readonly #handle: BusHandler;
  #last: Promise<void> = Promise.resolve();
  #count = 0;
  #closed = false;

  constructor(handle: BusHandler) {
    this.#handle = handle;
  }

  async publish(text: string): Promise<void> {
    const entry = { entryId: `${Date.now()}-${this.#count++}`, text };
    this.#last = this.#last.then(() => this.#deliver(entry));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#last;
  }

  async #deliver(entry: BusEntry): Promise<void> {
    while (!this.#closed) {
      try {
        return await this.#handle(entry);
      } catch (error) {
        if (error instanceof UnusableEvent) return tellUnusable(entry, error);
        await new Promise(resolve => setTimeout(resolve, RETRY_MS));
      }
    }
  }
}

/** For people who look after the service. */
export function tellUnusable({ entryId }: BusEntry, { message }: UnusableEvent): void {
  process.stderr.write(`The domain event ${entryId} is of no use: ${message}\n`);
}
