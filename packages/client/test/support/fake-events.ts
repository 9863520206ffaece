/** The HTTP side of a fake edge: event streams that a test writes by hand, in place of `fetch`. */
import { DEFAULT_LIMITS, type Frame, POSITION_SEPARATOR } from '@hubbub/protocol';
import { closeEventText, eventText } from '@hubbub/protocol/event-stream';
import { vi } from 'vitest';

export class FakeStream {
  readonly url: URL;
  readonly #signal: AbortSignal;
  /** By the place of the room in the request. */
  readonly #positions: string[];
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  readonly response: Response;

  constructor(url: string, signal: AbortSignal) {
    this.url = new URL(url);
    this.#signal = signal;
    this.#positions = this.url.searchParams.get('last_event_id')?.split(POSITION_SEPARATOR) ?? [];
    const body = new ReadableStream<Uint8Array>({
      start: controller => {
        this.#controller = controller;
        signal.addEventListener('abort', () => controller.error(signal.reason));
      },
    });
    this.response = new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  }

  get isAborted(): boolean {
    return this.#signal.aborted;
  }

  async write(text: string): Promise<this> {
    this.#controller.enqueue(new TextEncoder().encode(text));
    await settle();
    return this;
  }

  /** With the positions of all rooms in the id, as an edge has them. */
  frame(frame: Frame): Promise<this> {
    const text = eventText(frame, true);
    const [, at] = /^id: (.*)/.exec(text) ?? [];
    const rooms = this.url.searchParams.getAll('room');
    if (at !== undefined && frame.room !== undefined) this.#positions[rooms.indexOf(frame.room)] = at;
    const id = rooms.map((_, index) => this.#positions[index] ?? '').join(POSITION_SEPARATOR);
    return this.write(text.replace(/^id: .*/, `id: ${id}`));
  }

  welcome(payload: object = {}): Promise<this> {
    const user = { id: 'u1', name: 'One' };
    const rooms = this.url.searchParams.getAll('room');
    return this.frame({
      type: 'welcome',
      payload: { session_id: 's1', user, rooms, limits: DEFAULT_LIMITS, ping_interval_ms: 600_000, ...payload },
    });
  }

  async close(code: number, reason = '', retryMs = 2_000): Promise<void> {
    await this.write(closeEventText(code, reason, retryMs));
  }

  async end(): Promise<void> {
    this.#controller.close();
    await settle();
  }
}

/** A message that waits for its answer. */
export interface FakePost {
  readonly url: URL;
  readonly authorization: string | undefined;
  readonly body: { readonly payload: unknown; readonly message_id: string };
  answer(status: number, body: object | string): Promise<void>;
  /** The connection breaks. */
  fail(): Promise<void>;
}

/** Takes the place of `fetch` until the globals are restored. */
export class FakeEvents {
  readonly streams: FakeStream[] = [];
  readonly posts: FakePost[] = [];
  /** When set, requests get this answer. */
  refusal:
    | { readonly status: number; readonly body: object | string; readonly headers?: Record<string, string> }
    | undefined;

  constructor() {
    vi.stubGlobal('fetch', (url: string, init: RequestInit & { readonly signal: AbortSignal }) =>
      this.#fetch(url, init),
    );
  }

  get stream(): FakeStream {
    const stream = this.streams.at(-1);
    if (stream === undefined) throw new Error('no stream was requested');
    return stream;
  }

  async #fetch(url: string, init: RequestInit & { readonly signal: AbortSignal }): Promise<Response> {
    if (init.method === 'POST') return await this.#post(url, init);
    if (this.refusal) {
      const { status, body, headers = {} } = this.refusal;
      return responseOf(status, body, headers);
    }
    const stream = new FakeStream(url, init.signal);
    this.streams.push(stream);
    return stream.response;
  }

  #post(url: string, { body, headers }: RequestInit): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.posts.push({
        url: new URL(url),
        authorization: (headers as Record<string, string>).authorization,
        body: JSON.parse(String(body)),
        async answer(status, answered) {
          resolve(responseOf(status, answered));
          await settle();
        },
        async fail() {
          reject(new TypeError('fetch failed'));
          await settle();
        },
      });
    });
  }
}

function responseOf(status: number, body: object | string, headers: Record<string, string> = {}): Response {
  return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers });
}

/** Lets streams and promises settle, and timers of 0 ms fire; the module of the transport is loaded, too. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 5; round++) {
    await new Promise(resolve => setImmediate(resolve));
    await vi.advanceTimersByTimeAsync(0);
  }
}
