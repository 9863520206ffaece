/** Client events of the stories: their namespaces, their senders, and their streams. */
import type { Frame } from '@hubbub/protocol';
import type { TestCluster } from '../support/cluster.js';
import { connect } from '../support/raw-client.js';
import type { TestRedis } from '../support/redis.js';

export const NAMESPACES = {
  default: { events: ['page_viewed', 'page_left'], anonymousRights: ['join'] },
  vote: { public: true, events: ['vote_submitted', 'order.*'] },
  open: { public: true, events: ['*'] },
  closed: { public: true },
};

export type Entry = Readonly<Record<string, string>>;

/** The stream of a namespace, as any program reads it. */
export async function eventsOf(redis: TestRedis, namespace: string): Promise<Entry[]> {
  const connection = redis.connection();
  const entries = await connection.xrange(`${redis.prefix}:events:{${namespace}}`, '-', '+');
  connection.disconnect();
  return entries.map(([, fields]) =>
    Object.fromEntries(fields.flatMap((name, at) => (at % 2 === 0 ? [[name, fields[at + 1] ?? '']] : []))),
  );
}

export const code = ({ type, payload }: Frame) => (type === 'error' ? payload?.code : type);

/** Opens a session that is welcomed and in these rooms. */
export async function enter(cluster: TestCluster, user: string, rooms: string[] = [], options: object = {}) {
  const token = cluster.token({ user, name: user.toUpperCase() });
  const client = await connect(cluster.edge(0).wsUrl, { name: user, token, ...options });
  const session = (await client.nextFrame('welcome')).payload?.session_id;
  for (const room of rooms) await client.join(room);
  return Object.assign(client, { session });
}
