/** A service that ends while it consumes events: what it waits for, what it leaves to the next instance, and that it ends. */

import { eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { startRedis } from '../../../tests/support/redis.js';
import { clientsOf, connectService, consumerStory, gate, textOf } from './service-stories.js';

describe('closing', () => {
  test('waits for the running handler, not for retries of others; the next instance gets waiting events immediately', async () => {
    const { redis, tell, consume, heard } = await consumerStory();
    await tell('game:a', 'running');
    await tell('game:a', 'behind it');
    await tell('game:b', 'failing');
    const open = gate();
    const begun: string[] = [];
    const consumer = consume(
      async event => {
        begun.push(textOf(event));
        if (textOf(event) === 'failing') throw new Error('not here');
        await open.opened;
      },
      { retryDelayMs: 60_000, leaseMs: 60_000 },
    );
    await eventually(() => begun.length === 2);
    let closed = false;
    const closing = consumer.close().then(() => {
      closed = true;
    });
    const second: Array<[string, number]> = [];
    const other = connectService(redis);
    const standby = other.onEvents('game', { group: 'referee', leaseMs: 1000 }, event =>
      second.push([textOf(event), event.attempt]),
    );
    await new Promise(resolve => setTimeout(resolve, 300)); // It must not end within this time.
    expect(closed).toBe(false);
    expect(standby.leading).toBe(false);
    open.open();
    await closing;
    expect(heard).toEqual(['running']);
    expect(consumer.leading).toBe(false);
    await eventually(() => second.length === 2, { withinMs: 2000, describe: 'the other takes over immediately' });
    expect(second.sort()).toEqual([
      ['behind it', 2],
      ['failing', 2],
    ]);
    await consumer.close();
  });

  test('waiting alone does not bring an event closer to the dead letters, however many instances start and stop', async () => {
    const { redis, tell } = await consumerStory();
    await tell('game:a', 'slow');
    await tell('game:a', 'waits');
    for (let n = 0; n < 4; n++) {
      const hubbub = connectService(redis);
      const begun = gate();
      hubbub.onEvents('game', { group: 'referee', leaseMs: 1000, retryDelayMs: 60_000 }, () => {
        begun.open();
        throw new Error('the first one never gets done');
      });
      await begun.opened;
      await hubbub.close();
    }
    const attempts: Array<[string, number]> = [];
    connectService(redis).onEvents('game', { group: 'referee' }, event =>
      attempts.push([textOf(event), event.attempt]),
    );
    await eventually(() => attempts.length === 2);
    expect(attempts).toEqual([
      ['slow', 5],
      ['waits', 2],
    ]);
  });

  test('before the first lease, twice, and with every open consumer, ends; afterwards nothing begins', async () => {
    const { redis, consume } = await consumerStory();
    const leader = consume(() => {});
    await eventually(() => leader.leading);
    const hubbub = connectService(redis);
    const standby = hubbub.onEvents('game', { group: 'referee' }, () => {});
    hubbub.onLifecycle({ group: 'doorman' }, () => {});
    await Promise.all([standby.close(), standby.close(), hubbub.close(), hubbub.close()]);
    expect(standby.leading).toBe(false);
    for (const begin of [
      () => hubbub.onEvents('game', { group: 'referee' }, () => {}),
      () => hubbub.onLifecycle({ group: 'doorman' }, () => {}),
    ]) {
      expect(begin).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
    }
    await expect(hubbub.publishToRoom('game:a', { type: 'late' })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(hubbub.deadLetters('game', 'referee')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  test.each(['halted', 'frozen'])('ends while Redis is %s', async state => {
    const redis = await startRedis({ own: true });
    const { tell } = clientsOf(redis);
    await tell('game:a', 'one');
    const heard: string[] = [];
    const hubbub = connectService(redis, { timeoutMs: 300 });
    const consumer = hubbub.onEvents('game', { group: 'referee', leaseMs: 1000 }, event => heard.push(textOf(event)));
    const doorman = hubbub.onLifecycle({ group: 'doorman', leaseMs: 1000 }, () => {});
    await eventually(() => heard.length === 1 && doorman.leading);
    await (state === 'frozen' ? redis.pause() : redis.halt());
    const endedWithin = async (closing: Promise<void>) =>
      await Promise.race([closing.then(() => true), new Promise(resolve => setTimeout(resolve, 5000, false))]);
    try {
      expect(await endedWithin(consumer.close()), 'the consumer of events').toBe(true);
      expect(await endedWithin(hubbub.close()), 'the one of lifecycle events').toBe(true);
    } finally {
      if (state === 'frozen') await redis.resume();
    }
  });
});
