/** Publishes as back ends of Pusher do: over the HTTP API, in requests that the server SDK of Pusher signs. */
import { Agent, request } from 'node:http';
import Pusher from 'pusher';

/** Of one request, by the definition of Pusher. */
const BATCH_MAX = 10;
const LANES_MAX = 8;
const OK = 200;

/** @typedef {{ port: number, app: { id: string, key: string, secret: string } }} PusherApi */

/**
 * A channel always has the same lane, and a lane one request in flight: so the events of a channel keep their order. Up to
 * ten events that are due meanwhile leave with the next request. An API that is too busy gets fewer, and no queue grows.
 */
export class PusherPublisher {
  /** Events of refused requests. */
  unheard = 0;
  #agent = new Agent({ keepAlive: true, maxSockets: LANES_MAX });
  #lanes = Array.from({ length: LANES_MAX }, () => ({ waiting: [], isBusy: false }));
  #sdk;
  #port;
  #path;
  #idle = () => {};

  /** @param {PusherApi} api */
  constructor({ port, app: { id, key, secret } }) {
    this.#sdk = new Pusher({ appId: id, key, secret });
    this.#port = port;
    this.#path = `/apps/${id}/batch_events`;
  }

  /** @param {number} channel counts from 0 */
  takes(channel) {
    return this.#laneOf(channel).waiting.length < BATCH_MAX;
  }

  /** @param {number} channel @param {Buffer} event */
  add(channel, event) {
    this.#laneOf(channel).waiting.push(event);
  }

  flush() {
    for (const lane of this.#lanes) void this.#send(lane);
  }

  /** Resolves when everything is answered. */
  async answered() {
    if (this.#lanes.some(({ isBusy }) => isBusy)) await new Promise(resolve => (this.#idle = resolve));
  }

  close() {
    this.#agent.destroy();
  }

  #laneOf(channel) {
    return this.#lanes[channel % LANES_MAX];
  }

  async #send(lane) {
    if (lane.isBusy) return;
    lane.isBusy = true;
    while (lane.waiting.length > 0) {
      const events = lane.waiting.splice(0, BATCH_MAX);
      const status = await this.#post(`{"batch":[${events.join(',')}]}`);
      if (status !== OK) this.unheard += events.length;
    }
    lane.isBusy = false;
    if (this.#lanes.every(({ isBusy }) => !isBusy)) this.#idle();
  }

  /** Resolves with the status of the answer. */
  #post(body) {
    const query = this.#sdk.createSignedQueryString({ method: 'POST', path: this.#path, body });
    return new Promise((resolve, reject) => {
      const sent = request({
        host: '127.0.0.1',
        port: this.#port,
        agent: this.#agent,
        method: 'POST',
        path: `${this.#path}?${query}`,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      });
      sent.once('error', reject);
      sent.once('response', answer => {
        answer.resume();
        answer.once('end', () => resolve(answer.statusCode));
      });
      sent.end(body);
    });
  }
}
