/** A receiver of webhooks for stories: verifies every request, records its events, and misbehaves on demand. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { verifyWebhook, type WebhookDelivery, type WebhookEvent } from '@hubbub/server';
import { cleanup } from '../support/cleanup.js';

export const SECRET = `whsec_${Buffer.from('a key of the webhook stories 1').toString('base64')}`;

/** How the receiver treats a request. Default: 204. */
export interface Behavior {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly delayMs?: number;
  /** Ends the connection without an answer. */
  readonly hangsUp?: boolean;
}

export interface Received extends WebhookDelivery {
  readonly id: string;
  /** The status of the answer; undefined without an answer. */
  readonly status: number | undefined;
  readonly atMs: number;
}

export class Receiver {
  /** Every request whose signature is valid, in the order of arrival. */
  readonly requests: Received[] = [];
  readonly problems: string[] = [];
  secrets: readonly string[] = [SECRET];
  behave: (delivery: WebhookDelivery) => Behavior = () => ({});
  #server: Server | undefined;
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}/hubbub`;
  }

  /** Events that were answered with a success, in the order of their requests. */
  get accepted(): readonly WebhookEvent[] {
    return this.requests.filter(({ status = 0 }) => status >= 200 && status <= 299).flatMap(({ events }) => events);
  }

  /** Listens, on the same port as before. */
  async start(): Promise<void> {
    const server = createServer((request, response) => void this.#handle(request, response));
    this.#server = server;
    await new Promise<void>(resolve => server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as { port: number }).port;
  }

  /** Refuses connections, and cuts those that exist. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise(resolve => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A request that is cut off has no body.
    const body = await readText(request).catch(() => '');
    let delivery: WebhookDelivery;
    try {
      delivery = verifyWebhook({ headers: request.headers, body }, { secrets: this.secrets });
    } catch (error) {
      this.problems.push(String(error));
      response.writeHead(401).end();
      return;
    }
    const behavior = this.behave(delivery);
    const status = behavior.hangsUp === true ? undefined : (behavior.status ?? 204);
    this.requests.push({ ...delivery, id: String(request.headers['webhook-id']), status, atMs: performance.now() });
    if (behavior.delayMs !== undefined) await delay(behavior.delayMs);
    if (status === undefined) request.socket.destroy();
    else response.writeHead(status, behavior.headers).end(behavior.body);
  }
}

export async function startReceiver(): Promise<Receiver> {
  const receiver = new Receiver();
  await receiver.start();
  cleanup(() => receiver.stop());
  return receiver;
}
