/** Publishes messages with POST (PROTOCOL.md section 10.5), those of one room one after the other: so they keep their order. */
import { type Frame, isPlainObject, toJsonText } from '@hubbub/protocol';
import { defined } from './defined.js';
import { refusalOf } from './errors.js';

export interface PublisherPorts {
  /** The address of the room's messages, with a room token where the room needs one. */
  url(room: string): string;
  headers(): Record<string, string>;
  /** Takes the answer: an `ack` or an `error`. */
  answer(frame: Frame): void;
  /** The edge does not take the token any more. */
  unauthorized(): void;
  isOver(): boolean;
}

const TIMEOUT_MS = 10_000;
/** Own messages that are recognized when they arrive: far more than one replay has. */
const MAX_OWN = 2_000;

export class Publisher {
  readonly #ports: PublisherPorts;
  /** By room: resolves when the last message was answered. */
  readonly #last = new Map<string, Promise<void>>();
  readonly #pending = new Set<string>();
  readonly #own = new Set<string>();

  constructor(ports: PublisherPorts) {
    this.#ports = ports;
  }

  /** Whether this client published the message. */
  isOwn(id = ''): boolean {
    return this.#own.has(id);
  }

  publish(frame: Frame): void {
    const { id = '', room = '' } = frame;
    // A repetition of one that still waits: both get the same answer.
    if (this.#pending.has(id)) return;
    this.#pending.add(id);
    this.#own.add(id);
    const [oldest = ''] = this.#own;
    if (this.#own.size > MAX_OWN) this.#own.delete(oldest);
    const answered = (this.#last.get(room) ?? Promise.resolve()).then(() => this.#post(frame));
    this.#last.set(room, answered);
    void answered.then(() => this.#last.get(room) === answered && this.#last.delete(room));
  }

  async #post({ id = '', room = '', payload, message_id }: Frame): Promise<void> {
    const { url, headers, answer, unauthorized, isOver } = this.#ports;
    if (isOver()) return;
    let reply: Frame;
    try {
      const body = toJsonText(defined({ payload, message_id }));
      const init = { method: 'POST', headers: headers(), body, signal: AbortSignal.timeout(TIMEOUT_MS) };
      reply = await readReply(await fetch(url(room), init));
    } catch (error) {
      reply = failed('OUTCOME_UNKNOWN', `No answer: ${error}`);
    }
    this.#pending.delete(id);
    const isRefusedToken = reply.payload?.code === 'UNAUTHORIZED';
    // The next session has another token, and repeats what was not executed.
    answer({ ...(isRefusedToken ? failed('UNAVAILABLE', 'The token is no longer valid.') : reply), id, room });
    if (isRefusedToken) unauthorized();
  }
}

async function readReply(response: Response): Promise<Frame> {
  const body: unknown = await response.json().catch(() => {});
  if (response.ok && isPlainObject(body)) {
    const { epoch, offset, ...payload } = body;
    return defined({ type: 'ack', payload, epoch, offset }) as Frame;
  }
  const refusal = refusalOf(body, response.headers.get('retry-after'));
  // A proxy answered: the edge behind it may have the message.
  if (!refusal) return failed('OUTCOME_UNKNOWN', `Answered with HTTP ${response.status}.`);
  const { code, message, retryAfterMs, details } = refusal;
  return { type: 'error', payload: defined({ code, message, retry_after_ms: retryAfterMs, details }) };
}

function failed(code: string, message: string): Frame {
  return { type: 'error', payload: { code, message } };
}
