/** A cluster for clients and back ends of Pusher: their own libraries, two edges, and the HTTP API. */
import { eventually } from '@hubbub/tools/kit';
import PusherServer from 'pusher';
import pusherJs, { type Options } from 'pusher-js';
import { type ApiProcess, PRESENCE_KEY, startApi } from '../api/api-process.js';
import { withConfigFile } from '../presence/config-file.js';
import { cleanup } from '../support/cleanup.js';
import { type Environment, startCluster, type TestCluster } from '../support/cluster.js';
import type { TestRedis } from '../support/redis.js';

export const APP = { id: 'app1', key: '278d425bdf160c739803', secret: '7ad3773142a6692b25b8', clientEvents: true };

/** Its types describe an ES module, but the package is CommonJS and exports the class itself. */
const PusherClient = pusherJs as unknown as typeof pusherJs.default;
export type PusherClient = pusherJs.default;

export interface PusherStory {
  readonly cluster: TestCluster;
  readonly api: ApiProcess;
  /** The server SDK of Pusher, for Node. */
  readonly server: PusherServer;
  /** Environment of processes that know the app. */
  readonly env: Environment;
  /** A client of the edge with this number. */
  client(edge?: number, options?: ClientOptions): PusherClient;
}

export interface ClientOptions extends Partial<Options> {
  /** Fields of the member in presence channels. Default: a user of its own. */
  readonly user?: { readonly user_id: string; readonly user_info?: Record<string, unknown> };
  /** `user_data` of a sign-in. */
  readonly userData?: Record<string, unknown> & { readonly id: string };
  /** Connects here in place of the edge. */
  readonly port?: number;
  readonly key?: string;
}

export interface StartPusherStoryOptions {
  readonly edges?: number;
  readonly app?: object;
  readonly redis?: TestRedis;
  readonly env?: Environment;
}

export async function startPusherStory(options: StartPusherStoryOptions = {}): Promise<PusherStory> {
  const app = { ...APP, ...options.app };
  const env = {
    ...withConfigFile({ pusherApps: [app] }),
    HUBBUB_PRESENCE_API_KEYS: PRESENCE_KEY,
    ...options.env,
  };
  const { edges = 2, redis } = options;
  const cluster = await startCluster({ edges, env, ...(redis !== undefined && { redis }) });
  const api = await startApi(cluster, { env: { ...env, HUBBUB_API_KEYS: 'a-key-of-the-tests' } });
  const server = new PusherServer({
    ...{ appId: app.id, key: app.key, secret: app.secret },
    host: '127.0.0.1',
    port: String(api.process.port),
    useTLS: false,
    encryptionMasterKeyBase64: Buffer.alloc(32, 7).toString('base64'),
  });
  let users = 0;
  return {
    ...{ cluster, api, server, env },
    client(edge = 0, { user, userData, port = cluster.edge(edge).process.port, key = app.key, ...more } = {}) {
      users++;
      const member = user ?? { user_id: `user-${users}` };
      const client = new PusherClient(key, {
        ...{ wsHost: '127.0.0.1', wsPort: port, forceTLS: false, cluster: 'x' },
        enabledTransports: ['ws'],
        disableStats: true,
        channelAuthorization: {
          transport: 'ajax',
          endpoint: '',
          customHandler({ socketId, channelName }, callback) {
            const data = channelName.startsWith('presence-') ? member : undefined;
            callback(null, server.authorizeChannel(socketId, channelName, data) as never);
          },
        },
        userAuthentication: {
          transport: 'ajax',
          endpoint: '',
          customHandler({ socketId }, callback) {
            callback(null, server.authenticateUser(socketId, userData ?? { id: member.user_id }));
          },
        },
        ...more,
      });
      cleanup(() => client.disconnect());
      return client;
    },
  };
}

/** Resolves with the data of the next such event. */
export function nextEvent<Data = unknown>(
  target: {
    bind(name: string, callback: (data: Data) => void): unknown;
    unbind(name: string, callback: unknown): unknown;
  },
  name: string,
): Promise<Data> {
  return new Promise(resolve => {
    const once = (data: Data): void => {
      target.unbind(name, once);
      resolve(data);
    };
    target.bind(name, once);
  });
}

/** Subscribes, and resolves with the channel when the edge has confirmed it. */
export async function subscribed(client: PusherClient, name: string) {
  const channel = client.subscribe(name);
  await eventually(() => channel.subscribed, { describe: `${name} is subscribed` });
  return channel;
}

/** The ids of the members that a presence channel knows, sorted. */
export function memberIds(channel: unknown): string[] {
  const { members } = (channel as { members: { members: Record<string, unknown> } }).members;
  return Object.keys(members).sort();
}
