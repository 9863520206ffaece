/** Reads the body of a request, bounded in bytes and in time. */
import { HubbubError } from '@hubbub/protocol';
import { LimitExceeded } from '../limits/limit-exceeded.js';
import type { HttpResponse } from './engine.js';

export interface BodyBounds {
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

/** Call it within the engine's callback for the request. Rejects with `TOO_LARGE`, or with `UNAVAILABLE` where it does not end. */
export function readBody(response: HttpResponse, { maxBytes, timeoutMs }: BodyBounds): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new HubbubError('UNAVAILABLE', 'The body did not arrive in time; try again later.'));
    }, timeoutMs);
    response.onData((chunk, isLast) => {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) {
        clearTimeout(timer);
        reject(new LimitExceeded('frame_bytes', 'TOO_LARGE', `A body has at most ${maxBytes} bytes.`));
        return;
      }
      chunks.push(Buffer.from(chunk.slice(0))); // The engine's bytes are gone after the call.
      if (!isLast) return;
      clearTimeout(timer);
      resolve(Buffer.concat(chunks));
    });
  });
}
