/** Two servers of Redis: a message through one may overtake a message through the other. */
import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { startRedis } from '../support/redis.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { memberIds, type PusherStory, startPusherStory, subscribed } from './story.js';

const DELAY_MS = 700;

/** A story with two servers of Redis. The second edge has the one that carries its own channel behind a slow network. */
async function story() {
  const servers = [await startRedis({ own: true }), await startRedis({ own: true })] as const;
  const [first] = servers;
  const story = await startPusherStory({
    edges: 1,
    redis: { ...first, url: servers.map(({ url }) => url).join() },
    app: { leaveGraceMs: 0 },
  });
  const proxies = await Promise.all(servers.map(({ port }) => startTcpProxy({ to: port })));
  const HUBBUB_REDIS_URL = proxies.map(({ port }) => `redis://127.0.0.1:${port}`).join();
  await story.cluster.addEdge({ nodeId: 'far', env: { ...story.env, HUBBUB_REDIS_URL } });
  const has = async (index: 0 | 1, channel: string) => (await servers[index].cli('PUBSUB', 'CHANNELS', channel)) !== '';
  const slow = (await has(0, `${first.prefix}:node:{far}`)) ? 0 : 1;
  return {
    story,
    delay: (delayMs: number) => proxies[slow]?.behave({ delayMs }),
    /** A presence channel whose messages come through the other server, with a first member. */
    async fastChannel() {
      const client = story.client(0, { user: { user_id: 'first' } });
      for (let n = 1; ; n++) {
        const channel = await subscribed(client, `presence-${n}`);
        const room = `${first.prefix}:room:{pusher-app1.presence:presence-${n}}`;
        if (await has(slow === 0 ? 1 : 0, room)) return channel;
        client.unsubscribe(channel.name);
      }
    },
  };
}

/** Resolves when presence has the member. */
async function hasMember({ server }: PusherStory, channel: string, member: string): Promise<void> {
  await eventually(async () => {
    const answer = await server.get({ path: `/channels/${channel}/users` });
    const { users } = (await answer.json()) as { users: Array<{ id: string }> };
    return users.some(({ id }) => id === member);
  });
}

test('a roster that changes have overtaken is asked for again: no member is missing, and none stays', async () => {
  const { story: two, delay, fastChannel } = await story();
  const channel = await fastChannel();
  const leaver = two.client(0, { user: { user_id: 'leaver' } });
  await subscribed(leaver, channel.name);
  const far = two.client(1, { user: { user_id: 'far' } });
  await eventually(() => far.connection.state === 'connected');
  delay(DELAY_MS);
  const joining = subscribed(far, channel.name);
  await hasMember(two, channel.name, 'far'); // Its roster is on the way now.
  leaver.unsubscribe(channel.name);
  await subscribed(two.client(0, { user: { user_id: 'late' } }), channel.name);
  expect(far.channel(channel.name)?.subscribed).toBe(false);
  const late = await joining;
  expect(memberIds(late)).toEqual(['far', 'first', 'late']);
});
