/** A backup of Redis, made and restored as docs/deployment.md describes, while edges and presence run. */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { HubbubClient } from '@hubbub/client';
import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { startRedis } from '../support/redis.js';
import { enter, joinAt, messages, position, resume, startWithHistory } from './support.js';

const ROOM = 'chat:general';

test('a restored backup has the messages from before it, members get a gap, and the roster is right', async () => {
  const redis = await startRedis({ own: true, args: ['--appendonly', 'yes'] });
  const cluster = await startWithHistory({ redis, presence: 1, env: { HUBBUB_REDIS_COMMAND_TIMEOUT_MS: '1000' } });
  const writer = await enter(cluster, cluster.edge(0), 'writer');
  const member = await enter(cluster, cluster.edge(0), 'member');
  const { epoch } = position(await joinAt(writer, ROOM));
  await joinAt(member, ROOM);
  const say = async (...numbers: number[]): Promise<void> => {
    for (const n of numbers) {
      const message = { type: 'send_message', room: ROOM, message_id: `message-${n}`, payload: { n } };
      await eventually(async () => (await writer.ask(message)).type === 'ack', { describe: `message ${n} is taken` });
    }
  };
  await say(1, 2, 3);

  // The steps of the page.
  await redis.cli('CONFIG', 'SET', 'auto-aof-rewrite-percentage', '0');
  await eventually(async () => (await redis.cli('INFO', 'persistence')).includes('aof_rewrite_in_progress:0'));
  const [, folder = ''] = (await redis.cli('CONFIG', 'GET', 'dir')).split('\n');
  const appendOnly = join(folder, 'appendonlydir');
  const backup = join(folder, 'backup');
  cpSync(appendOnly, backup, { recursive: true });
  await redis.cli('CONFIG', 'SET', 'auto-aof-rewrite-percentage', '100');

  await say(4, 5);
  await eventually(() => messages(member, ROOM).length === 5, { describe: 'the member has all five' });
  await redis.halt({ keepData: true });
  rmSync(appendOnly, { recursive: true });
  cpSync(backup, appendOnly, { recursive: true });
  await redis.start();

  expect((await member.nextFrame('room_gap')).payload).toMatchObject({ room_id: ROOM, reason: 'new_epoch' });
  await say(6);
  await eventually(() => messages(member, ROOM).at(-1)?.payload?.n === 6, { describe: 'the member gets message 6' });
  const late = await enter(cluster, cluster.edge(0), 'late');
  const [answer] = await resume(late, { [ROOM]: { epoch, offset: 0 } });
  expect(answer).toMatchObject({ recovered: true });
  expect(messages(late, ROOM).map(({ payload }) => payload?.n)).toEqual([1, 2, 3, 6]);

  const reader = new HubbubClient({ url: cluster.edge(0).wsUrl, token: cluster.token({ user: 'reader' }) });
  cleanup(() => reader.close());
  await reader.connect();
  const room = reader.room(ROOM);
  await room.join();
  await eventually(() => room.roster.count === 4, { withinMs: 30_000, describe: 'the roster has all four' });
});
