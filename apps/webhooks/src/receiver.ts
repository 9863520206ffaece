/** The receiver of one webhook: sends it signed requests, one after the other on kept connections, and judges the answers. */
import { isLoopbackHost } from '@hubbub/config';
import { Agent, type Dispatcher, request } from 'undici';
import { addressRule } from './addresses.js';
import { DeliveryFailure, failureOf, type RequestResult } from './delivery-failure.js';
import { checkLiteral, permittedLookup } from './lookup.js';
import type { WebhookFormat } from './webhook-format.js';

/** Addresses of this machine, for a URL that names it. */
const LOOPBACK = ['127.0.0.0/8', '::1'];

export interface ReceiverOptions {
  readonly url: string;
  readonly format: Pick<WebhookFormat, 'headersOf'>;
  readonly allowedNetworks: readonly string[];
  readonly concurrency: number;
  readonly timeoutMs: number;
  readonly maxResponseBytes: number;
  readonly maxRetryAfterMs: number;
  readonly onAnswered: (result: RequestResult, durationMs: number) => void;
  readonly onLongAnswer: () => void;
}

export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #url: URL;
  readonly #agent: Agent;

  constructor(options: ReceiverOptions) {
    const { url, allowedNetworks, concurrency, timeoutMs } = options;
    this.#options = options;
    this.#url = new URL(url);
    const named = isLoopbackHost(this.#url.hostname) ? LOOPBACK : [];
    const isPermitted = addressRule([...allowedNetworks, ...named]);
    checkLiteral(this.#url, isPermitted);
    this.#agent = new Agent({
      connections: concurrency,
      // The deadline of a request covers all of these; they must not end before it.
      connect: { lookup: permittedLookup(isPermitted), timeout: 2 * timeoutMs },
      headersTimeout: 2 * timeoutMs,
      bodyTimeout: 2 * timeoutMs,
    });
  }

  /**
   * Resolves when the receiver has accepted the events: it answered with a status from 200 to 299. Redirects are not followed.
   * @throws {DeliveryFailure}
   */
  async send(id: string, body: string, signal: AbortSignal): Promise<void> {
    const { timeoutMs, onAnswered } = this.#options;
    const startedAtMs = performance.now();
    const deadline = AbortSignal.timeout(timeoutMs);
    let result: RequestResult = 'delivered';
    try {
      await this.#request(id, body, AbortSignal.any([signal, deadline]));
    } catch (error) {
      const failure = this.#failure(error, signal, deadline);
      result = failure.result;
      throw failure;
    } finally {
      onAnswered(result, performance.now() - startedAtMs);
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #request(id: string, body: string, signal: AbortSignal): Promise<void> {
    const { format, maxRetryAfterMs } = this.#options;
    const answer = await request(this.#url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Hubbub',
        ...format.headersOf(id, body),
      },
      body,
      signal,
      dispatcher: this.#agent,
    });
    await this.#ignore(answer.body);
    const retryAfter = answer.headers['retry-after'];
    if (answer.statusCode >= 200 && answer.statusCode <= 299) return;
    throw failureOf(answer.statusCode, typeof retryAfter === 'string' ? retryAfter : undefined, maxRetryAfterMs);
  }

  /** Reads a short body, so that the connection can be used again. */
  async #ignore(body: Dispatcher.ResponseData['body']): Promise<void> {
    let bytes = 0;
    try {
      for await (const chunk of body) {
        bytes += (chunk as Uint8Array).length;
        if (bytes <= this.#options.maxResponseBytes) continue;
        this.#options.onLongAnswer();
        return;
      }
    } catch {
      // The status is known, and it alone counts.
    }
  }

  #failure(error: unknown, signal: AbortSignal, deadline: AbortSignal): DeliveryFailure {
    if (error instanceof DeliveryFailure) return error;
    const { timeoutMs } = this.#options;
    if (signal.aborted) return new DeliveryFailure('canceled', 'another process may have taken over');
    if (deadline.aborted) return new DeliveryFailure('timeout', `the receiver did not answer in ${timeoutMs} ms`);
    const reason = error instanceof Error ? error.message : String(error);
    return new DeliveryFailure('unreachable', `the receiver cannot be reached: ${reason}`);
  }
}
