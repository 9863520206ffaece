/** Names of the keys of a log of client events (docs/redis-contract.md). One namespace's keys share a slot. */

export interface EventKeys {
  readonly log: string;
  /** Time to live of the log, in ms, as its appenders set it: for readers. */
  readonly ttl: string;
  idempotency(key: string): string;
  lease(group: string): string;
  dead(group: string): string;
}

export function eventKeys(prefix: string, namespace: string): EventKeys {
  const log = `${prefix}:events:{${namespace}}`;
  return {
    log,
    ttl: `${log}:ttl`,
    idempotency: key => `${log}:id:${key}`,
    lease: group => `${log}:lease:${group}`,
    dead: group => `${log}:dead:${group}`,
  };
}
