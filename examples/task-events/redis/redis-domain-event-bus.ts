/**
 * Domain events on Redis. Programs that must not lose one append it to a stream, which a consumer group reads: events wait
 * there while the service is down. The simplest programs publish on a channel, which only reaches a running service.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { exampleFile } from '../../service/example-file.js';
import { type BusHandler, type DomainEventBus, tellUnusable } from '../domain-event-bus.js';
import { UnusableEvent } from '../domain-events.js';

const HOLD_LEASE = readFileSync(exampleFile('task-events/redis', 'hold-lease.lua'), 'utf8');

const GROUP = 'task-events';
/** One name for all instances: a successor gets the unacknowledged events of the one before. The lease names the reader. */
const CONSUMER = 'service';
const BATCH = 32;
const STREAM_MAX = 10_000;
const DEAD_MAX = 1000;
const RETRY_MS = 500;

export interface RedisBusOptions {
  readonly url: string;
  /** Before the names in Redis; empty for those that other programs know. */
  readonly prefix: string;
  /** Time until another instance takes over from one that died. */
  readonly leaseMs: number;
  /** Time to live of a stream that nobody reads or writes. */
  readonly ttlMs: number;
}

export class RedisDomainEventBus implements DomainEventBus {
  readonly commands: readonly string[];
  readonly #options: RedisBusOptions;
  readonly #handle: BusHandler;
  readonly #stream: string;
  readonly #me = randomUUID();
  readonly #redis: Redis;
  /** Waits for entries, so that nothing else waits behind it. */
  readonly #reader: Redis;
  readonly #subscriber: Redis;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #leads = false;
  /** `0` gives what this group has still to acknowledge, `>` what is new. */
  #from: '0' | '>' = '0';

  constructor(options: RedisBusOptions, handle: BusHandler) {
    const { url, prefix } = options;
    const channel = `${prefix}domain-events`;
    this.#options = options;
    this.#handle = handle;
    this.#stream = `${prefix}domain:events`;
    const { hostname, port } = new URL(url);
    const cli = `redis-cli -h ${hostname} -p ${port === '' ? '6379' : port}`;
    this.commands = [`${cli} XADD ${this.#stream} '*' event`, `${cli} PUBLISH ${channel}`];
    this.#redis = connection(url);
    this.#reader = connection(url);
    this.#subscriber = connection(url);
    this.#subscriber.on('message', (_channel: string, text: string) => {
      // Into the stream, so that there is one order and one way. The instances that stand by leave it to the one that leads.
      if (this.#leads) this.publish(text).catch(tell);
    });
    this.#subscriber.subscribe(channel).catch(tell);
    this.#running = this.#run();
  }

  async publish(text: string): Promise<void> {
    await this.#redis.xadd(this.#stream, 'MAXLEN', '~', STREAM_MAX, '*', 'event', text);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#subscriber.disconnect();
    this.#reader.disconnect();
    await this.#running;
    // Another instance need not wait for its end. Its owner was checked at the last renewal.
    if (this.#leads) await this.#redis.del(this.#lease).catch(tell);
    this.#redis.disconnect();
  }

  get #lease(): string {
    return `${this.#stream}:lease`;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        if (await this.#hold()) await this.#read();
        else await delay(this.#options.leaseMs / 4, undefined, { signal });
      } catch (error) {
        if (signal.aborted) return;
        tell(error);
        this.#from = '0'; // Unhandled events come again.
        // Rejects only when the bus is closed, which the loop sees.
        await delay(RETRY_MS, undefined, { signal }).catch(() => {});
      }
    }
  }

  async #hold(): Promise<boolean> {
    const led = this.#leads;
    this.#leads = (await this.#redis.eval(HOLD_LEASE, 1, this.#lease, this.#me, this.#options.leaseMs)) === 1;
    if (this.#leads && !led) this.#from = '0'; // The pending events of the one before.
    return this.#leads;
  }

  async #read(): Promise<void> {
    const entries = await this.#next();
    if (entries.length === 0) this.#from = '>';
    for (const [entryId, fields] of entries) {
      if (!(await this.#hold())) return;
      if (fields !== null) await this.#deliver(entryId, fields[fields.indexOf('event') + 1] ?? '');
      await this.#redis.xack(this.#stream, GROUP, entryId);
    }
    await this.#redis.pexpire(this.#stream, this.#options.ttlMs);
  }

  async #next(): Promise<readonly Entry[]> {
    const blockMs = Math.floor(this.#options.leaseMs / 3);
    const where = ['BLOCK', blockMs, 'STREAMS', this.#stream, this.#from] as const;
    try {
      const answer = await this.#reader.xreadgroup('GROUP', GROUP, CONSUMER, 'COUNT', BATCH, ...where);
      return (answer as [string, Entry[]][] | null)?.[0]?.[1] ?? [];
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOGROUP')) throw error;
      // From the beginning: what was appended before anybody read is meant for this service too.
      await this.#redis.xgroup('CREATE', this.#stream, GROUP, '0', 'MKSTREAM');
      return [];
    }
  }

  async #deliver(entryId: string, text: string): Promise<void> {
    try {
      await this.#handle({ entryId, text });
    } catch (error) {
      if (!(error instanceof UnusableEvent)) throw error;
      tellUnusable({ entryId, text }, error);
      const dead = `${this.#stream}:dead`;
      const about = ['entry', entryId, 'reason', error.message, 'event', text];
      await this.#redis.xadd(dead, 'MAXLEN', '~', DEAD_MAX, '*', ...about);
      await this.#redis.pexpire(dead, this.#options.ttlMs);
    }
  }
}

/** Without fields where it was trimmed before it was acknowledged. */
type Entry = readonly [entryId: string, fields: readonly string[] | null];

function connection(url: string): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: null });
  redis.on('error', () => {
    // It reconnects by itself, and waiting commands continue then.
  });
  return redis;
}

function tell(error: unknown): void {
  process.stderr.write(`Domain events: ${error instanceof Error ? error.message : String(error)}\n`);
}
