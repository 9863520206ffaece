/** Logs of client events on Redis Streams, each command one script (docs/decisions/0004). */
import { HubbubError } from '@hubbub/protocol';
import { eventFields } from '../event-fields.js';
import type { EventAppend, EventAppended, EventBacklog, EventGroup, EventLog } from '../event-log.js';
import { IDEMPOTENCY_WINDOW_MS } from '../history.js';
import { eventKeys } from './event-keys.js';
import { RedisEventGroup } from './redis-event-group.js';
import { RedisScript } from './redis-script.js';
import type { RedisTopology } from './topology.js';
import { orOutcomeUnknown, orUnavailable } from './unavailable.js';

const appendScript = new RedisScript(
  new URL('../../lua/event-trim.lua', import.meta.url),
  new URL('../../lua/event-append.lua', import.meta.url),
);

export interface RedisEventLogOptions {
  readonly redis: RedisTopology;
  readonly prefix: string;
}

export class RedisEventLog implements EventLog {
  readonly #options: RedisEventLogOptions;

  constructor(options: RedisEventLogOptions) {
    this.#options = options;
    appendScript.keepLoaded(options.redis);
  }

  async append({ namespace, event, idempotencyKey, maxLength, ttlMs }: EventAppend): Promise<EventAppended> {
    const { log, ttl, idempotency } = eventKeys(this.#options.prefix, namespace);
    const keys = [log, ttl];
    if (idempotencyKey !== undefined) keys.push(idempotency(idempotencyKey));
    const args = [maxLength, ttlMs, IDEMPOTENCY_WINDOW_MS, ...eventFields(event)];
    const reply = await orOutcomeUnknown(() => appendScript.run(this.#options.redis, keys, args));
    if (reply === null) throw new HubbubError('UNAVAILABLE', 'Services are behind: too many events wait for them.');
    const [entryId, repeated, length] = reply as [string, number, number];
    return { entryId, repeated: repeated === 1, length };
  }

  async backlog(namespace: string): Promise<EventBacklog> {
    const { log } = eventKeys(this.#options.prefix, namespace);
    const { redis } = this.#options;
    const [length, groups] = await orUnavailable(() =>
      Promise.all([
        redis.run(log, server => server.xlen(log)),
        redis.run(log, server => server.call('XINFO', 'GROUPS', log)).catch(noGroupsWithoutLog),
      ]),
    );
    return { length, groups: (groups as StreamInfo[]).map(info => backlogOf(info, length)) };
  }

  group(namespace: string, group: string): EventGroup {
    return new RedisEventGroup({ ...this.#options, namespace, group });
  }
}

/** Name, value, name, value, …. */
type StreamInfo = readonly (string | number | null)[];

function backlogOf(info: StreamInfo, length: number): EventBacklog['groups'][number] {
  const field = (name: string): string | number | null => info[info.indexOf(name) + 1] ?? null;
  const [pending, lag] = [Number(field('pending')), field('lag')];
  // Redis before 7 does not report the lag, nor does any version after deletions: at most all entries wait.
  const waiting = typeof lag === 'number' ? lag + pending : length;
  return { group: String(field('name')), waiting };
}

function noGroupsWithoutLog(error: unknown): StreamInfo[] {
  if (error instanceof Error && error.message.includes('no such key')) return [];
  throw error;
}
