/** A Lua script in a file of its own, run by its hash; Redis gets the text only when it does not know it. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Command, type Redis } from 'ioredis';
import type { RedisTopology } from './topology.js';

export type ScriptArgument = string | number | Buffer;

/**
 * EVALSHA with a fallback to EVAL: works after `SCRIPT FLUSH`, on a replica that was promoted, and where there are no
 * functions (Dragonfly).
 * @example const append = new RedisScript(new URL('../../lua/report-append.lua', import.meta.url));
 */
export class RedisScript {
  /** For classic and for sharded pub/sub. */
  readonly #variants: { readonly classic: Variant; readonly sharded: Variant };

  /** @param files joined in this order: functions that several scripts share have their own file */
  constructor(...files: readonly URL[]) {
    const text = files.map(file => readFileSync(file, 'utf8')).join('\n');
    const sharded = text.replaceAll("redis.call('PUBLISH'", "redis.call('SPUBLISH'");
    this.#variants = { classic: variantOf(text), sharded: variantOf(sharded) };
  }

  /**
   * Loads the script as the first command of each connection. Then calls run in the order of their making: a call that is
   * answered NOSCRIPT and repeated could fall behind a later one.
   */
  keepLoaded(redis: RedisTopology): void {
    const { text } = this.#variantFor(redis);
    redis.onShard(({ commands }) => {
      // Where it fails, the fallback of `run` still works.
      const load = (): void => void commands.script('LOAD', text).catch(() => {});
      if (commands.status === 'ready') load();
      commands.on('ready', load);
    });
  }

  /** As `run`, with every text of the reply as bytes. */
  runForBytes(redis: RedisTopology, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> {
    const command = (name: string, script: string) => (server: Redis) =>
      server.sendCommand(new Command(name, [script, keys.length, ...keys, ...args])) as Promise<unknown>;
    const { sha, text } = this.#variantFor(redis);
    return this.#run(redis, keys, command('EVALSHA', sha), command('EVAL', text));
  }

  /**
   * Runs at the shard of the keys, which have one hash tag.
   * @param onAttempt called with the connection of each attempt; the last one executed the script
   */
  run(
    redis: RedisTopology,
    keys: readonly string[],
    args: readonly ScriptArgument[],
    onAttempt: (server: Redis) => void = () => {},
  ): Promise<unknown> {
    const { sha, text } = this.#variantFor(redis);
    const byHash = (server: Redis) => {
      onAttempt(server);
      return server.evalsha(sha, keys.length, ...keys, ...args);
    };
    const byText = (server: Redis) => {
      onAttempt(server);
      return server.eval(text, keys.length, ...keys, ...args);
    };
    return this.#run(redis, keys, byHash, byText);
  }

  #variantFor({ isSharded }: RedisTopology): Variant {
    return isSharded ? this.#variants.sharded : this.#variants.classic;
  }

  async #run(
    redis: RedisTopology,
    [key = '']: readonly string[],
    byHash: (server: Redis) => Promise<unknown>,
    byText: (server: Redis) => Promise<unknown>,
  ): Promise<unknown> {
    try {
      return await redis.run(key, byHash);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return await redis.run(key, byText);
    }
  }
}

interface Variant {
  readonly text: string;
  readonly sha: string;
}

function variantOf(text: string): Variant {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}
