/** The common parts of the stories of event streams: a cluster with a history, and its readers. */
import { namespacesFile } from '@hubbub/tools/kit';
import { startCluster, type TestCluster, type TestEdge } from '../support/cluster.js';
import { type EventReader, type ReadOptions, readEvents } from '../support/event-reader.js';
import { connect, type RawClient } from '../support/raw-client.js';

export const NAMESPACES = {
  kept: { public: true, historySize: 1000, historyTtlMs: 600_000 },
  loud: { public: true, historySize: 1000, historyTtlMs: 600_000, echo: true },
  locked: { requireRoomToken: true },
};

export interface Story {
  readonly cluster: TestCluster;
  /** A member that talks. */
  speaker(user: string, edge?: TestEdge): Promise<RawClient>;
  /** @param path with the query, such as `/rooms/general/events` */
  reader(
    path: string,
    options?: ReadOptions & { readonly user?: string; readonly edge?: TestEdge },
  ): Promise<EventReader>;
}

export async function startStory(
  options: { readonly edges?: number; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Story> {
  const { edges = 1, env = {} } = options;
  const cluster = await startCluster({ edges, env: { HUBBUB_CONFIG: namespacesFile(NAMESPACES), ...env } });
  return {
    cluster,
    speaker: (user, edge = cluster.edge(0)) => connect(edge.wsUrl, { name: user, token: cluster.token({ user }) }),
    reader: (path, { user = 'reader', edge = cluster.edge(0), ...rest } = {}) =>
      readEvents(`${edge.httpUrl}${path}`, { name: user, token: cluster.token({ user }), ...rest }),
  };
}

/** Sends a message and returns when it is published. */
export async function say(speaker: RawClient, room: string, n: number): Promise<void> {
  const answer = await speaker.ask({ type: 'send_message', room, payload: { n } });
  if (answer.type !== 'ack') throw new Error(`not published: ${JSON.stringify(answer)}`);
}

/** The numbers that a reader has got. */
export function numbersOf(reader: EventReader, room?: string): number[] {
  return reader.events.flatMap(({ data }) =>
    data.type === 'new_message' && (room === undefined || data.room === room) ? [data.payload?.n as number] : [],
  );
}
