/** Measures for how long a presence channel has the members of a node that SIGKILL has ended, with the libraries of Pusher. */
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@hubbub/tools/kit';
import PusherServer from 'pusher';
import PusherClient from 'pusher-js';
import { APP } from '../relays/app.mjs';
import { withParts } from './measurement.mjs';

const CHANNEL = 'presence-ghosts';

/** @param {object} turn of a comparison; settings: `members` of each node, `after`: seconds @returns {Promise<object[]>} a row for each time */
export function measureGhosts({ relay, settings: { members, after }, redis, pinning, nodeArgs }) {
  return withParts(async opened => {
    const nodes = await opened(relay.start({ redisUrl: redis.url, cpus: pinning.relay, nodeArgs }));
    const { id: appId, key, secret } = APP;
    const server = new PusherServer({
      appId,
      key,
      secret,
      host: '127.0.0.1',
      port: String(nodes.api.port),
      useTLS: false,
    });
    const listed = async () => (await (await server.get({ path: `/channels/${CHANNEL}/users` })).json()).users.length;
    const [lost, staying] = await Promise.all(
      nodes.ports.map(port => opened(joinChannel({ port, members, authorize: server.authorizeChannel.bind(server) }))),
    );
    const all = nodes.ports.length * members;
    const everybodyIsIn = async () => lost.most() === all && staying.most() === all && (await listed()) === all;
    await eventually(everybodyIsIn, { describe: `${all} members are in the channel` });

    nodes.killNode(0);
    const killedAt = performance.now();
    await lost.close(); // They do not return.
    const rows = [];
    for (const seconds of after) {
      await sleep(killedAt + seconds * 1000 - performance.now());
      const askedAt = performance.now();
      const inList = await listed();
      const answerMs = performance.now() - askedAt;
      rows.push({ step: seconds, ghostsListed: inList - members, ghostsSeen: staying.most() - members, answerMs });
    }
    return rows;
  });
}

/** Clients of one node, each a member of its own. */
async function joinChannel({ port, members, authorize }) {
  const clients = Array.from({ length: members }, (_, number) => {
    const client = new PusherClient(APP.key, {
      ...{ wsHost: '127.0.0.1', wsPort: port, forceTLS: false, cluster: 'x', enabledTransports: ['ws'] },
      disableStats: true,
      channelAuthorization: {
        customHandler: ({ socketId, channelName }, callback) =>
          callback(null, authorize(socketId, channelName, { user_id: `${port}-${number}` })),
      },
    });
    return { client, channel: client.subscribe(CHANNEL) };
  });
  return {
    /** The most members that one of them knows. */
    most: () => Math.max(...clients.map(({ channel }) => channel.members.count)),
    async close() {
      for (const { client } of clients) client.disconnect();
    },
  };
}
