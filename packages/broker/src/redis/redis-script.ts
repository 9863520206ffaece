/** A Lua script in a file of its own, run by its hash; Redis gets the text only when it does not know it. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Command, type Redis } from 'ioredis';

export type ScriptArgument = string | number | Buffer;

/**
 * EVALSHA with a fallback to EVAL: works after `SCRIPT FLUSH`, on a replica that was promoted, and where there are no
 * functions (Dragonfly).
 * @example const append = new RedisScript(new URL('../../lua/report-append.lua', import.meta.url));
 */
export class RedisScript {
  readonly #text: string;
  readonly #sha: string;

  /** @param files joined in this order: functions that several scripts share stand in a file of their own */
  constructor(...files: readonly URL[]) {
    this.#text = files.map(file => readFileSync(file, 'utf8')).join('\n');
    this.#sha = createHash('sha1').update(this.#text).digest('hex');
  }

  /**
   * Loads the script as the first command of each connection. Then calls run in the order of their making: a call that is
   * answered NOSCRIPT and repeated could fall behind a later one.
   */
  keepLoaded(redis: Redis): void {
    // Where it fails, the fallback of `run` still works.
    const load = (): void => void redis.script('LOAD', this.#text).catch(() => {});
    if (redis.status === 'ready') load();
    redis.on('ready', load);
  }

  /** As `run`, with every text of the reply as bytes. */
  async runForBytes(redis: Redis, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> {
    try {
      return await redis.sendCommand(new Command('EVALSHA', [this.#sha, keys.length, ...keys, ...args]));
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return await redis.sendCommand(new Command('EVAL', [this.#text, keys.length, ...keys, ...args]));
    }
  }

  async run(redis: Redis, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> {
    try {
      return await redis.evalsha(this.#sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return await redis.eval(this.#text, keys.length, ...keys, ...args);
    }
  }
}
