/** Topics of event streams. The engine has none for HTTP responses, so a message is written to each reader in a loop. */
import type { Socket } from '../sessions/session.js';

/** The part of a stream that a topic uses. */
export interface StreamReader {
  send(bytes: Uint8Array): unknown;
}

export class StreamTopics {
  /** Most topics are of one user: a set for each would take more memory than the stream. */
  readonly #readers = new Map<string, StreamReader | Set<StreamReader>>();

  subscribe(topic: string, reader: StreamReader): void {
    const known = this.#readers.get(topic);
    if (known === undefined) this.#readers.set(topic, reader);
    else if (known instanceof Set) known.add(reader);
    else this.#readers.set(topic, new Set([known, reader]));
  }

  unsubscribe(topic: string, reader: StreamReader): void {
    const known = this.#readers.get(topic);
    if (known instanceof Set) known.delete(reader);
    if (known === reader || (known instanceof Set && known.size === 0)) this.#readers.delete(topic);
  }

  /** Writes the bytes to every reader of the topic but `except`. A reader that is cut off meanwhile leaves the topic. */
  publish(topic: string, bytes: Uint8Array, except?: Socket | StreamReader): void {
    const known = this.#readers.get(topic);
    if (known === undefined) return;
    if (!(known instanceof Set)) {
      if (known !== except) known.send(bytes);
      return;
    }
    for (const reader of known) if (reader !== except) reader.send(bytes);
  }
}
