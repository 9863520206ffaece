/** A bare reader of server-sent events for stories: one request, which does not return by itself. */
import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import type { Frame } from '@hubbub/protocol';
import { type Match, PATIENCE_MS } from '@hubbub/tools/kit';
import { cleanup } from './cleanup.js';
import { Inbox } from './inbox.js';

export interface ReadOptions {
  /** The name of this reader in errors. Default: `reader`. */
  readonly name?: string;
  readonly token?: string;
  readonly lastEventId?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The local address: any of 127.0.0.0/8. */
  readonly localAddress?: string;
}

/** An event as it was read; its data is a frame, or that of `close`. */
export interface ReadEvent {
  readonly id?: string;
  readonly event?: string;
  readonly data: Frame;
}

export class EventReader {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Every event, in order. */
  readonly events: ReadEvent[] = [];
  /** Every `retry`, in order. */
  readonly retries: number[] = [];
  comments = 0;
  /** The id that an `EventSource` would send. */
  lastEventId = '';
  /** Resolves when the response has ended, orderly or not. */
  readonly ended: Promise<void>;
  readonly #inbox: Inbox;
  readonly #response: IncomingMessage;
  #text = '';

  constructor(name: string, response: IncomingMessage) {
    this.status = response.statusCode ?? 0;
    this.headers = response.headers;
    this.#response = response;
    this.#inbox = new Inbox(name);
    response.setEncoding('utf8');
    response.on('data', (text: string) => this.#read(text));
    response.on('error', () => {}); // `close` follows.
    this.ended = new Promise<void>(resolve => response.once('close', resolve)).then(() =>
      this.#inbox.end('the stream ended'),
    );
  }

  /** Everything that is not an event, such as the body of a refusal. */
  get rest(): string {
    return this.#text;
  }

  /** Takes the oldest untaken frame that matches, or waits for one. */
  nextFrame(match: Match<Frame>, { withinMs = PATIENCE_MS }: { readonly withinMs?: number } = {}): Promise<Frame> {
    return this.#inbox.take(match, withinMs);
  }

  /** Proves that no such frame is pending: one that follows it has arrived. */
  async noFrame(match: Match<Frame>, barrier: () => Promise<unknown>): Promise<void> {
    await barrier();
    this.#inbox.expectNone(match);
  }

  pauseReading(): void {
    this.#response.pause();
  }

  resumeReading(): void {
    this.#response.resume();
  }

  async close(): Promise<void> {
    this.#response.destroy();
    await this.ended;
  }

  #read(text: string): void {
    this.#text += text;
    for (let end = this.#text.indexOf('\n\n'); end >= 0; end = this.#text.indexOf('\n\n')) {
      this.#take(this.#text.slice(0, end));
      this.#text = this.#text.slice(end + 2);
    }
  }

  #take(block: string): void {
    const fields: Record<string, string> = {};
    for (const line of block.split('\n')) {
      const colon = line.indexOf(':');
      if (colon === 0) this.comments++;
      else if (colon < 0) throw new Error(`not a line of an event: ${JSON.stringify(line)}`);
      else fields[line.slice(0, colon)] = line.slice(colon + 2);
    }
    const { id, event, data, retry } = fields;
    if (retry !== undefined) this.retries.push(Number(retry));
    if (id !== undefined) this.lastEventId = id;
    if (data === undefined) return;
    const frame = JSON.parse(data) as Frame;
    this.events.push({ ...(id !== undefined && { id }), ...(event !== undefined && { event }), data: frame });
    this.#inbox.add(event === 'close' ? { ...frame, type: 'close' } : frame);
  }
}

/**
 * Requests events; the request ends with the test, or with the file if made in `beforeAll`. A refusal is an answer, too.
 *
 * @example
 * const reader = await readEvents(`${edge.httpUrl}/rooms/general/events`, { token: cluster.token({ user: 'ada' }) });
 */
export async function readEvents(url: string, options: ReadOptions = {}): Promise<EventReader> {
  const { name = 'reader', token, lastEventId, localAddress } = options;
  const headers: Record<string, string> = { accept: 'text/event-stream', ...options.headers };
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  if (lastEventId !== undefined) headers['last-event-id'] = lastEventId;
  const asked = request(url, { headers, agent: false, ...(localAddress !== undefined && { localAddress }) });
  asked.on('error', () => {}); // Reported by `once`, or by the response.
  asked.end();
  cleanup(() => void asked.destroy());
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const reader = new EventReader(name, response);
  if (reader.status !== 200) await reader.ended;
  return reader;
}
