/** Service processes end, and Redis is restarted or frozen: every event is handled, those of a room first in order. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { adopt, eventually, ProcessOutput } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { cleanup } from '../../../tests/support/cleanup.js';
import { startRedis, type TestRedis } from '../../../tests/support/redis.js';
import { clientsOf, connectService, gate, LEASE_MS, textOf } from './service-stories.js';

const INSTANCE = fileURLToPath(new URL('instance.mjs', import.meta.url));

interface Instance {
  readonly output: ProcessOutput;
  readonly ended: Promise<unknown>;
  readonly handled: () => string[];
  kill(signal: NodeJS.Signals): boolean;
}

function startInstance(redis: TestRedis, name: string): Instance {
  const child = spawn(process.execPath, [INSTANCE, redis.url, redis.prefix, name, String(LEASE_MS)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  adopt(child);
  cleanup(() => child.kill('SIGKILL'));
  const output = new ProcessOutput();
  output.read(child.stdout);
  output.read(child.stderr);
  const handled = () => output.lines.flatMap(line => (line.startsWith('handles ') ? [line.slice(8)] : []));
  return {
    output,
    handled,
    ended: new Promise(resolve => child.once('close', resolve)),
    kill: signal => child.kill(signal),
  };
}

async function leads(instance: Instance, name: string): Promise<void> {
  await eventually(() => instance.output.lines.includes(`${name} leads`), {
    describe: `${name} leads; it said: ${instance.output.tail()}`,
  });
}

/** The order of first handling, room by room. */
function firstHandlings(texts: readonly string[]): Map<string, number[]> {
  const rooms = new Map<string, number[]>();
  for (const text of new Set(texts)) {
    const [room = '', n] = text.split(' ');
    rooms.set(room, [...(rooms.get(room) ?? []), Number(n)]);
  }
  return rooms;
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

describe('two instances of a service', () => {
  test('one leads; after kill -9 the other takes over within the lease, and nothing is lost', async () => {
    const redis = await startRedis();
    const { tell } = clientsOf(redis);
    const first = startInstance(redis, 'one');
    await leads(first, 'one');
    const second = startInstance(redis, 'two');
    for (let n = 0; n < 200; n++) await tell(`game:${n % 10}`, `slow:${n % 10} ${Math.floor(n / 10)}`);
    await eventually(() => first.handled().length > 20);
    expect(second.handled()).toEqual([]);
    first.kill('SIGKILL');
    await first.ended;
    const endedAtMs = performance.now();
    await leads(second, 'two');
    const tookOverAfterMs = performance.now() - endedAtMs;
    await eventually(() => new Set([...first.handled(), ...second.handled()]).size === 200);
    for (const [room, numbers] of firstHandlings([...first.handled(), ...second.handled()])) {
      expect(numbers, room).toEqual(upTo(20));
    }
    // The lease, the quarter of it until the other instance tries again, and the delay of a busy machine.
    expect(tookOverAfterMs).toBeLessThan(LEASE_MS * 1.25 + 10_000);
  });

  test('after an orderly end the other instance takes over immediately, and nothing is handled twice', async () => {
    const redis = await startRedis();
    const { tell } = clientsOf(redis);
    const first = startInstance(redis, 'one');
    await leads(first, 'one');
    const second = startInstance(redis, 'two');
    for (let n = 0; n < 100; n++) await tell(`game:${n % 5}`, `slow:${n % 5} ${Math.floor(n / 5)}`);
    await eventually(() => first.handled().length >= 10);
    first.kill('SIGTERM');
    await first.ended;
    expect(first.output.lines.at(-1)).toBe('closed');
    await eventually(() => first.handled().length + second.handled().length >= 100);
    expect(new Set([...first.handled(), ...second.handled()]).size).toBe(100);
    expect(first.handled().length + second.handled().length, 'each once').toBe(100);
  });

  test('an event that ends its process is a dead letter after five attempts, and no other event is', async () => {
    const redis = await startRedis();
    const { tell } = clientsOf(redis);
    await tell('game:0', 'slow:0 0');
    await tell('game:p', 'poison');
    await tell('game:p', 'behind 0');
    for (let n = 1; n < 40; n++) await tell(`game:${n}`, `slow:${n} 0`);
    const lives: Instance[] = [];
    let ends = 0;
    const begin = (): void => {
      const instance = startInstance(redis, `life ${lives.length}`);
      lives.push(instance);
      // As a supervisor does, with a bound: an event that is never given up must not loop forever.
      void instance.ended.then(() => {
        ends++;
        if (ends < 12 && !finished) begin();
      });
    };
    let finished = false;
    begin();
    const handled = () => new Set(lives.flatMap(life => life.handled()));
    try {
      await eventually(() => handled().size === 41, {
        withinMs: 60_000,
        describe: 'all others are handled',
      });
    } finally {
      finished = true;
    }
    const hubbub = connectService(redis);
    const letters = await hubbub.deadLetters('game', 'referee');
    expect(letters).toMatchObject([
      { attempt: 5, reason: 'every attempt ended the service', event: { payload: { text: 'poison' } } },
    ]);
    const tries = lives.flatMap(life => life.output.lines.filter(line => line.startsWith('begins poison')));
    expect(tries).toEqual([1, 2, 3, 4, 5].map(attempt => `begins poison ${attempt}`));
    expect(ends).toBe(5);
  });
});

describe('a Redis', () => {
  test('that is restarted with its data in the middle of a thousand events loses none, and no room its order', async () => {
    const redis = await startRedis({ own: true });
    const { tell } = clientsOf(redis);
    const hubbub = connectService(redis, { timeoutMs: 1000 });
    const heard: string[] = [];
    hubbub.onEvents('game', { group: 'referee', leaseMs: LEASE_MS }, event => heard.push(textOf(event)));
    const telling = (async () => {
      for (let n = 0; n < 100; n++) {
        await Promise.all(upTo(10).map(room => tell(`game:${room}`, `room:${room} ${n}`)));
      }
    })();
    await eventually(() => heard.length > 200);
    expect(heard.length).toBeLessThan(1000);
    await redis.restart({ keepData: true });
    await telling;
    await eventually(() => new Set(heard).size === 1000);
    const rooms = firstHandlings(heard);
    expect(rooms.size).toBe(10);
    for (const [room, numbers] of rooms) expect(numbers, room).toEqual(upTo(100));
  });

  test('that is frozen for longer than the lease: handlers are notified, nothing is lost, and no room loses its order', async () => {
    const redis = await startRedis({ own: true });
    const { tell } = clientsOf(redis);
    const hubbub = connectService(redis, { timeoutMs: 500 });
    const heard: string[] = [];
    const aborted: string[] = [];
    const open = gate();
    let isHeld = false;
    const consumer = hubbub.onEvents('game', { group: 'referee', leaseMs: 1000 }, async event => {
      event.signal.addEventListener('abort', () => aborted.push(textOf(event)));
      isHeld ||= textOf(event) === 'a 1';
      if (textOf(event) === 'a 1') await open.opened;
      heard.push(textOf(event));
    });
    for (let n = 0; n < 4; n++) await tell('game:a', `a ${n}`);
    // The second has begun: the result of the first has been reported.
    await eventually(() => isHeld);
    await redis.pause();
    await eventually(() => aborted.length > 0 && !consumer.leading, {
      describe: 'the handler hears that the term is over',
    });
    expect(aborted).toEqual(['a 1']);
    // It ends while its result cannot be reported.
    open.open();
    await eventually(() => heard.length === 2);
    await redis.resume();
    await tell('game:a', 'a 4');
    await eventually(() => new Set(heard).size === 5);
    expect([...new Set(heard)]).toEqual(['a 0', 'a 1', 'a 2', 'a 3', 'a 4']);
    expect(
      heard.filter(text => text === 'a 1'),
      'this instance does not repeat what it has done',
    ).toHaveLength(1);
    await eventually(async () => {
      const groups = (await redis.connection().call('XINFO', 'GROUPS', `${redis.prefix}:events:{game}`)) as string[][];
      return Number(groups[0]?.[groups[0].indexOf('pending') + 1]) === 0;
    });
  });

  test("during which another instance had the lease: this one does not repeat that one's work", async () => {
    const redis = await startRedis();
    const { tell, brokerClient } = clientsOf(redis);
    const begun: string[] = [];
    const open = gate();
    const options = { group: 'referee', leaseMs: LEASE_MS };
    const consumer = connectService(redis).onEvents('game', options, async event => {
      begun.push(textOf(event));
      await open.opened;
    });
    for (let n = 0; n < 3; n++) await tell('game:a', `a ${n}`);
    await eventually(() => begun.length === 1);
    // As if the first one had slept for longer than the lease.
    await redis.cli('SET', `${redis.prefix}:events:{game}:lease:referee`, 'another', 'PX', '60000');
    const another = brokerClient.events.group('game', 'referee');
    expect(await another.hold('another', 60_000)).toBe(true);
    const taken = await another.read('another', { limit: 10, waitMs: 0 });
    expect(taken.map(({ event }) => textOf(event))).toEqual(['a 0', 'a 1', 'a 2']);
    await eventually(() => !consumer.leading);
    const entryIds = taken.map(({ entryId }) => entryId);
    await another.acknowledge('another', entryIds);
    await another.release('another');
    await eventually(() => consumer.leading);
    await tell('game:a', 'a 3');
    open.open();
    await eventually(() => begun.includes('a 3'));
    expect(begun).toEqual(['a 0', 'a 3']);
  });
});
