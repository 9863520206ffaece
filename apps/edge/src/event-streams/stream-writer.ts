/** Writes to an HTTP response that does not end. The bytes that a slow reader does not take wait here, and not in the engine. */
import { HEARTBEAT } from '@hubbub/protocol/event-stream';

/** The part of the engine's response that a stream uses. */
export interface StreamResponse {
  /** False where the system takes no more now: the engine keeps the rest. */
  write(chunk: string | Uint8Array): boolean;
  end(): unknown;
  /** Reads no further request of the connection. */
  pause(): unknown;
  close(): unknown;
  /** Chunks that are written within the callback leave in one system call. */
  cork(write: () => void): unknown;
  /** Without a handler the engine would end the response 10 s after a pause of its reader. */
  onWritable(handler: () => boolean): unknown;
}

export interface WriterOwner {
  /** The reader has read some of what waited for it. */
  drained(): void;
}

/** Of what waits, written together when the reader has read. */
const WRITTEN_TOGETHER_BYTES = 65_536;

export class StreamWriter {
  readonly #response: StreamResponse;
  readonly #owner: WriterOwner;
  /** Written while the engine had no room; `undefined` while it has. */
  #waiting: Uint8Array[] | undefined;
  #waitingBytes = 0;
  /** At most so many bytes of earlier writes wait in the engine. */
  #engineBytes = 0;
  #lastBytes = 0;
  #blockedAtMs = 0;

  constructor(response: StreamResponse, owner: WriterOwner) {
    this.#response = response;
    this.#owner = owner;
    response.onWritable(() => this.#writable());
  }

  /** Bytes that wait for the reader. */
  get bufferedBytes(): number {
    return this.#waiting === undefined ? 0 : this.#waitingBytes + this.#engineBytes;
  }

  /** For how long the reader has taken nothing of what waits. */
  get blockedMs(): number {
    return this.#waiting === undefined ? 0 : performance.now() - this.#blockedAtMs;
  }

  write(bytes: Uint8Array): void {
    if (this.#waiting !== undefined) {
      this.#waiting.push(bytes);
      this.#waitingBytes += bytes.length;
    } else if (writeCorked(this.#response, bytes)) this.#lastBytes = bytes.length;
    else this.#block(bytes.length);
  }

  /**
   * Writes what waits, and the last event. The engine keeps it until the reader has it, for about 10 s at most. The reader
   * closes the connection, as the header asks. If the engine closes it, it writes that header into the chunked body.
   */
  finish(last: Uint8Array): void {
    const rest = [...(this.#waiting ?? []), last];
    this.forget();
    this.#response.cork(() => {
      this.#response.write(Buffer.concat(rest));
      this.#response.pause();
      this.#response.end();
    });
  }

  /** The response has ended. */
  forget(): void {
    this.#waiting = undefined;
  }

  /** While corked, the write before reported success, whatever became of it: it may be in the engine, too. */
  #block(bytes: number): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#engineBytes = this.#lastBytes + bytes;
    this.#blockedAtMs = performance.now();
  }

  /** The engine drains only what a further write pushes on: a comment, whose success shows that it has drained all. */
  #writable(): boolean {
    this.#blockedAtMs = performance.now();
    if (writeCorked(this.#response, HEARTBEAT)) this.#writeWaiting();
    this.#owner.drained();
    return true;
  }

  #writeWaiting(): void {
    for (let next = this.#takeWaiting(); next !== undefined; next = this.#takeWaiting()) {
      this.#lastBytes = next.length;
      this.#engineBytes = next.length;
      if (!writeCorked(this.#response, next)) return;
    }
    this.#waiting = undefined;
  }

  #takeWaiting(): Uint8Array | undefined {
    const waiting = this.#waiting ?? [];
    let bytes = 0;
    let count = 0;
    while (count < waiting.length && bytes < WRITTEN_TOGETHER_BYTES) bytes += waiting[count++]?.length ?? 0;
    this.#waitingBytes -= bytes;
    const taken = waiting.splice(0, count);
    return count > 1 ? Buffer.concat(taken) : taken[0];
  }
}

let corkedResponse: StreamResponse;
let corkedBytes: Uint8Array;
let isTaken = false;
const writeNow = (): void => {
  isTaken = corkedResponse.write(corkedBytes);
};

/** Header and end of the chunk leave with it. The callback is one for all: a closure for each reader would be garbage. */
function writeCorked(response: StreamResponse, bytes: Uint8Array): boolean {
  corkedResponse = response;
  corkedBytes = bytes;
  response.cork(writeNow);
  return isTaken;
}
