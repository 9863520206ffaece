/**
 * Domain events on Redis. Programs that must not lose an event append it to a stream, which a consumer group reads: events
 * wait there while the service is down. The simplest programs publish on a channel, which reaches only a running service.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type BusEntry, UnusableEvent } from '../workspace.js';

/** Takes or renews the lease KEYS[1] of ARGV[1] for ARGV[2] ms. Returns 1 to its holder, 0 to others. */
const HOLD_LEASE = `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`;

const GROUP = 'task-events';
/** One name for all instances: a successor gets the events that the one before did not acknowledge. */
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
  /** Time to live of a stream without reads and writes. */
  readonly ttlMs: number;
}

/** Without fields if it was trimmed before it was acknowledged. */
type Entry = readonly [entryId: string, fields: readonly string[] | null];

/** Handles each event at least once, in the order of the stream, at one instance of the service at a time. */
export class RedisDomainEventBus {
  /** Shell commands that publish an event. Each lacks its last word, the event. */
  readonly commands: readonly string[];
  readonly #options: RedisBusOptions;
  readonly #handle: (entry: BusEntry) => Promise<void>;
  readonly #stream: string;
  readonly #me = randomUUID();
  readonly #redis: Redis;
  /** Blocks while it waits for entries. */
  readonly #reader: Redis;
  readonly #subscriber: Redis;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #leads = false;
  /** `0` reads what this group has yet to acknowledge, `>` what is new. */
  #from: '0' | '>' = '0';

  constructor(options: RedisBusOptions, handle: (entry: BusEntry) => Promise<void>) {
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
      // Into the stream: one order for all events. Standby instances leave it to the leading one.
      if (this.#leads) this.publish(text).catch(logError);
    });
    this.#subscriber.subscribe(channel).catch(logError);
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
    // Another instance need not wait for the end of the lease.
    if (this.#leads) await this.#redis.del(this.#lease).catch(logError);
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
        logError(error);
        this.#from = '0'; // Unhandled events are read again.
        // Rejects only when the bus is closed, which the loop checks.
        await delay(RETRY_MS, undefined, { signal }).catch(() => {});
      }
    }
  }

  async #hold(): Promise<boolean> {
    const led = this.#leads;
    this.#leads = (await this.#redis.eval(HOLD_LEASE, 1, this.#lease, this.#me, this.#options.leaseMs)) === 1;
    if (this.#leads && !led) this.#from = '0'; // The pending events of the instance before.
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
      // From the beginning: events that were appended before the first read are for this service, too.
      await this.#redis.xgroup('CREATE', this.#stream, GROUP, '0', 'MKSTREAM');
      return [];
    }
  }

  async #deliver(entryId: string, text: string): Promise<void> {
    try {
      await this.#handle({ entryId, text });
    } catch (error) {
      if (!(error instanceof UnusableEvent)) throw error;
      logError(new Error(`dead-lettered ${entryId}: ${error.message}`));
      const dead = `${this.#stream}:dead`;
      const about = ['entry', entryId, 'reason', error.message, 'event', text];
      await this.#redis.xadd(dead, 'MAXLEN', '~', DEAD_MAX, '*', ...about);
      await this.#redis.pexpire(dead, this.#options.ttlMs);
    }
  }
}

function connection(url: string): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: null });
  redis.on('error', () => {
    // It reconnects by itself, and waiting commands continue then.
  });
  return redis;
}

function logError(error: unknown): void {
  process.stderr.write(`Domain events: ${error instanceof Error ? error.message : String(error)}\n`);
}
