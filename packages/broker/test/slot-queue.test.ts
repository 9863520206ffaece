/** The commands about one slot, while it moves. */
import { expect, test } from 'vitest';
import { SlotQueue } from '../src/redis/slot-queue.js';

const redirection = (text: string) => Object.assign(new Error(text), { name: 'ReplyError' });

/** A server whose first answers are given by hand; each execution is written down. */
function open(timeoutMs = 1000) {
  const executed: string[] = [];
  const moves: string[] = [];
  const queue = new SlotQueue(timeoutMs, ({ host, port }) => moves.push(`${host}:${port}`));
  const command = (name: string, ...errors: Error[]) =>
    queue.run(async ask => {
      const error = errors.shift();
      await Promise.resolve();
      if (error !== undefined) throw error;
      executed.push(ask === undefined ? name : `${name} asking ${ask.host}:${ask.port}`);
      return name;
    });
  return { queue, command, executed, moves };
}

test('a redirected command is executed before those that were called after it', async () => {
  const { command, executed, moves, queue } = open();
  const moved = command('first', redirection('MOVED 7 10.0.0.5:6379'));
  const sentWithIt = command('second', redirection('MOVED 7 10.0.0.5:6379'));
  // Called when the redirection is known.
  await Promise.resolve();
  await Promise.resolve();
  await Promise.resolve();
  const later = command('third');
  expect(await Promise.all([moved, sentWithIt, later])).toEqual(['first', 'second', 'third']);
  expect(executed).toEqual(['first', 'second', 'third']);
  expect(moves).toContain('10.0.0.5:6379');
  expect(queue.isIdle).toBe(true);
});

test('a command whose key is at the new server already is asked for there, once', async () => {
  const { command, executed, moves } = open();
  await command('first', redirection('ASK 7 10.0.0.5:6379'));
  await command('second');
  expect(executed).toEqual(['first asking 10.0.0.5:6379', 'second']);
  expect(moves).toEqual([]);
});

test('a slot that moves for longer than the timeout refuses the command', async () => {
  const { queue } = open(50);
  const refused = queue.run(() =>
    Promise.reject(redirection('TRYAGAIN Multiple keys request during rehashing of slot')),
  );
  await expect(refused).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(queue.isIdle).toBe(true);
});

test('an address without a host is an error, and not a server', async () => {
  const { command, moves } = open();
  await expect(command('first', redirection('MOVED 7 :6379'))).rejects.toThrow('MOVED 7 :6379');
  expect(moves).toEqual([]);
});
