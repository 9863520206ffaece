/** The owner of partitions is killed (kill -9) between a commit and the publications of it; rooms are on other servers. */
import { eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { withNamespaces } from '../../../tests/presence/config-file.js';
import { startCluster } from '../../../tests/support/cluster.js';
import type { RawClient } from '../../../tests/support/raw-client.js';
import { startRedis, type TestRedis } from '../../../tests/support/redis.js';
import { startTcpProxy } from '../../../tests/support/tcp-proxy.js';
import { enter, heard, rosterOf, userOf } from './support/members.js';

const ROOMS = Array.from({ length: 12 }, (_, index) => `chat-${index}`);
const PARTITIONS = 16;

/** The rooms in which a member heard that a user left, one entry for each time. */
function leftRooms(member: RawClient, user: string): string[] {
  return member.frames
    .filter(frame => frame.type === 'user_left' && userOf(frame) === user)
    .map(({ room }) => room ?? '')
    .sort();
}

/** The rooms whose leave is in the outbox of a partition: its commit, then channels and envelopes in turn. */
async function roomsInOutboxes(registry: TestRedis): Promise<string[]> {
  const keys = Array.from({ length: PARTITIONS }, (_, n) => `${registry.prefix}:presence:{p${n}}:outbox`);
  const connection = registry.connection();
  const outboxes = await Promise.all(keys.map(key => connection.lrange(key, 0, -1)));
  connection.disconnect();
  return outboxes.flatMap(texts =>
    ROOMS.filter(room =>
      texts.some((text, at) => text.endsWith(`:room:{${room}}`) && texts[at + 1]?.includes('user_left')),
    ),
  );
}

describe('the owner of partitions is killed between a commit and its publications', () => {
  test.each([
    ['none of them is published', 2],
    ['those of one of two servers are published', 1],
  ])(
    '%s: the next owner publishes the rest, each user leaves each room once, and rosters are right',
    { timeout: 120_000 },
    async (_, cutServers) => {
      const [first, second, registry] = await Promise.all([1, 2, 3].map(() => startRedis({ own: true })));
      if (!first || !second || !registry) throw new Error('no Redis');
      const networks = await Promise.all([first, second].map(({ port }) => startTcpProxy({ to: port })));
      const url = `${first.url},${second.url}`;
      // Only the owner is behind these networks.
      const behind = networks.map(({ port }) => `redis://127.0.0.1:${port}`).join();
      const cluster = await startCluster({
        edges: 0,
        redis: { ...registry, url: behind },
        env: {
          ...withNamespaces({ default: { public: true, leaveGraceMs: 0 } }),
          HUBBUB_REGISTRY_REDIS_URL: registry.url,
        },
      });
      const [owner] = cluster.presence;
      for (let n = 0; n < 2; n++) await cluster.addEdge({ env: { HUBBUB_REDIS_URL: url } });
      const witness = await enter(cluster, 1, 'witness', ...ROOMS);
      const leaver = await enter(cluster, 0, 'leaver', ...ROOMS);
      await eventually(() => heard(witness, 'user_joined').length === ROOMS.length);
      const onSecond = await second.cli('PUBSUB', 'CHANNELS', `${registry.prefix}:room:*`);
      const cut = ROOMS.filter(
        room => cutServers === 2 || onSecond.split('\n').some(name => name.includes(`{${room}}`)),
      );
      expect(cut.length).toBeGreaterThan(0);

      for (const network of networks.slice(-cutServers)) network.behave({ blackHole: true });
      await leaver.close();
      const open = ROOMS.filter(room => !cut.includes(room));
      await eventually(
        async () => {
          const committed = await roomsInOutboxes(registry);
          return committed.length === ROOMS.length && leftRooms(witness, 'leaver').length === open.length;
        },
        { describe: 'all leaves are committed, and published where the network allows it' },
      );
      await owner?.kill();
      expect(leftRooms(witness, 'leaver')).toEqual(open.toSorted());

      await cluster.addPresence({ env: { HUBBUB_REDIS_URL: url } });
      await eventually(() => leftRooms(witness, 'leaver').length >= ROOMS.length, {
        withinMs: 40_000,
        describe: 'the witness hears the leave in every room',
      });
      // The networks deliver late the publications of the dead owner; the next owner has published them already.
      for (const network of networks) network.behave({});
      const later = await enter(cluster, 0, 'later', ...ROOMS);
      await eventually(() => heard(witness, 'user_joined').filter(user => user === 'later').length === ROOMS.length);
      expect(leftRooms(witness, 'leaver')).toEqual(ROOMS.toSorted());
      for (const room of ROOMS) expect(await rosterOf(later, room), room).toEqual(['later', 'witness']);
    },
  );
});
