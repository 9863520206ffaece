/** Knows the current primary of a name, from the Sentinels that monitor it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisHost, RedisLocation } from '@hubbub/protocol';
import { reconnectDelayMs } from './connection.js';
import type { RedisCertificates } from './redis-certificates.js';
import { type RedisServer, serverAt } from './redis-server.js';
import { RespSocket } from './resp-socket.js';

export type SentinelLocation = Extract<RedisLocation, { topology: 'sentinel' }>;

/** A Sentinel that does not answer for this long is replaced by the next one. */
const ASK_INTERVAL_MS = 1000;

export interface SentinelOptions {
  /** Of the Sentinels and of the primary. */
  readonly certificates?: RedisCertificates;
  onError(error: Error): void;
  /** The primary is another server now: connections to the former one must end. */
  onSwitch(): void;
}

/** Asks one Sentinel at a time, once a second and after each switch that it publishes. */
export class SentinelWatcher {
  readonly #location: SentinelLocation;
  readonly #options: SentinelOptions;
  #primary: RedisHost | undefined;
  #found: () => void = () => {};
  #finding: Promise<void>;
  #end: () => void = () => {};
  /** Connections since the last answer. */
  #failures = 0;
  #closed = false;

  constructor(location: SentinelLocation, options: SentinelOptions) {
    this.#location = location;
    this.#options = options;
    this.#finding = new Promise(resolve => {
      this.#found = resolve;
    });
    void this.#run();
  }

  /** The primary as a server whose address may change. */
  get server(): RedisServer {
    const { primaryName, login, tls } = this.#location;
    return {
      name: primaryName,
      ...login,
      tls,
      connect: async () => {
        await this.#finding;
        if (this.#primary === undefined) throw new Error('The watcher is closed.');
        return await serverAt({ ...this.#primary, ...login, tls }, this.#options.certificates).connect();
      },
    };
  }

  close(): void {
    this.#closed = true;
    this.#end();
    this.#found();
  }

  async #run(): Promise<void> {
    const { sentinels } = this.#location;
    for (let index = 0; !this.#closed; index++) {
      const sentinel = sentinels[index % sentinels.length] as RedisHost;
      this.#failures++;
      try {
        await this.#watch(sentinel);
      } catch (error) {
        if (!this.#closed) this.#options.onError(error as Error);
      }
      // Slower after each round in which no Sentinel answered.
      if (!this.#closed) await sleep(reconnectDelayMs(Math.floor(this.#failures / sentinels.length)));
    }
  }

  /** Until a connection ends. Each published switch is a reason to ask; only the answer counts. */
  async #watch(sentinel: RedisHost): Promise<void> {
    const { sentinelLogin, tls } = this.#location;
    const server = serverAt({ ...sentinel, ...sentinelLogin, db: 0, tls }, this.#options.certificates);
    let onEnd!: (cause?: Error) => void;
    const ended = new Promise<Error | undefined>(resolve => {
      onEnd = resolve;
    });
    const open = (onReply: () => void) => RespSocket.open(server, { onReply, onEnd });
    let isAsking = false;
    const ask = async (): Promise<void> => {
      isAsking = true;
      this.#move(await this.#ask(questions, server.name));
      isAsking = false;
    };
    const askRegularly = (): void => {
      if (isAsking) onEnd(new Error(`The Sentinel at ${server.name} does not answer.`));
      else ask().catch(onEnd);
    };
    const questions = await open(() => {});
    let events: RespSocket | undefined;
    this.#end = () => onEnd();
    const timer = setInterval(askRegularly, ASK_INTERVAL_MS);
    try {
      // A question in flight may be older than the switch: the next one is behind it.
      events = await open(() => void ask().catch(onEnd));
      events.send(['SUBSCRIBE', '+switch-master']);
      const cause = await ended;
      if (cause !== undefined) throw cause;
    } finally {
      clearInterval(timer);
      questions.end();
      events?.end();
    }
  }

  async #ask(questions: RespSocket, sentinel: string): Promise<RedisHost> {
    const { primaryName } = this.#location;
    const found = await questions.ask('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', primaryName);
    if (!Array.isArray(found)) {
      throw new Error(`The Sentinel at ${sentinel} does not monitor a primary of the name "${primaryName}".`);
    }
    return { host: String(found[0]), port: Number(found[1]) };
  }

  #move(primary: RedisHost): void {
    const before = this.#primary;
    this.#primary = primary;
    this.#failures = 0;
    this.#found();
    if (before !== undefined && (before.host !== primary.host || before.port !== primary.port))
      this.#options.onSwitch();
  }
}
