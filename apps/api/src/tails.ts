/** Streams of what is published to a room (server-sent events), for pages of operators. Bounded in number and in memory. */
import { Readable } from 'node:stream';
import { HubbubError } from '@hubbub/protocol';
import type { Hubbub } from '@hubbub/server';

/** Of this process. */
export const TAILS_MAX = 100;
/** A slow reader misses messages above it, and is notified. */
const WAITING_MAX_BYTES = 1_048_576;
/** Keeps proxies from ending a silent stream, and reveals a reader that is gone. */
const HEARTBEAT_MS = 15_000;

export class Tails {
  readonly #hubbub: Pick<Hubbub, 'tail'>;
  readonly #onLimited: () => void;
  readonly #open = new Set<Readable>();

  constructor(hubbub: Pick<Hubbub, 'tail'>, onLimited: () => void) {
    this.#hubbub = hubbub;
    this.#onLimited = onLimited;
  }

  /** @throws {HubbubError} `RATE_LIMITED`, or as `hubbub.tail` */
  async open(room: string): Promise<Readable> {
    if (this.#open.size >= TAILS_MAX) {
      this.#onLimited();
      throw new HubbubError('RATE_LIMITED', `This process follows ${TAILS_MAX} rooms already; end another tail first.`);
    }
    let dropped = 0;
    const stream = new Readable({ read() {}, highWaterMark: WAITING_MAX_BYTES });
    this.#open.add(stream);
    const send = (event: string, data: object): void => {
      if (stream.destroyed) return;
      if (stream.readableLength > WAITING_MAX_BYTES) {
        dropped++;
        return;
      }
      if (dropped > 0) stream.push(eventText('dropped', { count: dropped }));
      dropped = 0;
      stream.push(eventText(event, data));
    };
    const heartbeat = setInterval(() => stream.push(':\n\n'), HEARTBEAT_MS);
    heartbeat.unref();
    let end = (): void => {};
    stream.once('close', () => {
      clearInterval(heartbeat);
      this.#open.delete(stream);
      end();
    });
    try {
      end = await this.#hubbub.tail(
        { room },
        {
          message(message) {
            if (message === undefined) send('malformed', {});
            else send('message', message);
          },
          gap: durationMs => send('gap', { duration_ms: durationMs }),
        },
      );
    } catch (error) {
      stream.destroy();
      throw error;
    }
    if (stream.destroyed) end();
    // Not `open`: that is the name of the browser's own event.
    send('following', { room_id: room });
    return stream;
  }

  close(): void {
    for (const stream of this.#open) stream.destroy();
  }
}

/** JSON has no line break: one line is one event's data. */
function eventText(event: string, data: object): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
