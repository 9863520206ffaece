/** The commands that each user of a Redis runs, within scripts too. */
import type { EventEmitter } from 'node:events';
import { eventually } from '@hubbub/tools/kit';
import type { TestRedis } from '../../support/redis.js';

export class CommandLog {
  readonly #redis: TestRedis;
  readonly #byAddress = new Map<string, Set<string>>();
  readonly #users = new Map<string, string>();
  readonly #echoed = new Set<string>();

  private constructor(redis: TestRedis, monitor: EventEmitter) {
    this.#redis = redis;
    let caller = '';
    monitor.on('monitor', (_time: string, [name = '', sub = '']: string[], source: string) => {
      if (name === 'echo') this.#echoed.add(sub);
      // The commands of a script follow it.
      if (source !== 'lua') caller = source;
      const commands = this.#byAddress.get(caller) ?? new Set();
      this.#byAddress.set(caller, commands);
      commands.add(name.toLowerCase()).add(`${name}|${sub}`.toLowerCase());
    });
  }

  static async start(redis: TestRedis): Promise<CommandLog> {
    return new CommandLog(redis, await redis.connection().monitor());
  }

  /** Learns the users of the current connections. Call it before one of them ends. */
  async noteUsers(): Promise<void> {
    const list = await this.#redis.cli('CLIENT', 'LIST');
    for (const [, address = '', user = ''] of list.matchAll(/ addr=(\S+) .* user=(\S+)/g))
      this.#users.set(address, user);
  }

  /** The commands of a user, with and without the first argument: `xgroup`, `xgroup|create`. */
  async of(user: string): Promise<ReadonlySet<string>> {
    await this.noteUsers();
    const marker = `end-${Math.random()}`;
    await this.#redis.connection().echo(marker);
    await eventually(() => this.#echoed.has(marker), { describe: 'MONITOR reports the last command' });
    const own = [...this.#byAddress].filter(([address]) => this.#users.get(address) === user);
    return new Set(own.flatMap(([, commands]) => [...commands]));
  }
}
