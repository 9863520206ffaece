/** Members of rooms in stories with real processes: raw clients, and what they heard of each other. */
import type { Frame } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import type { TestCluster } from '../../../../tests/support/cluster.js';
import { connect, type RawClient } from '../../../../tests/support/raw-client.js';

/** Joins the rooms, and returns when presence has answered each join. */
export async function enter(cluster: TestCluster, edge: number, user: string, ...rooms: string[]): Promise<RawClient> {
  const client = await connect(cluster.edge(edge).wsUrl, { name: user, token: cluster.token({ user }) });
  for (const room of rooms) {
    await client.join(room);
    await client.nextFrame({ type: 'room_info', room });
  }
  return client;
}

/**
 * The room's users, as presence answers a member. Asks again without an answer: answers are lost while the edge's
 * subscription is broken, which `room_gap` reports to members. An edge that resyncs answers UNAVAILABLE.
 */
export async function rosterOf(member: RawClient, room: string): Promise<string[]> {
  const { payload } = await eventually(async () => {
    const answer = await member.ask({ type: 'online_users', room }, { withinMs: 2000 });
    return answer.type === 'online_users' && answer;
  });
  return ((payload?.users ?? []) as { id: string }[]).map(user => user.id).sort();
}

/** The users in the frames of a type, in the order in which they arrived. */
export function heard(client: RawClient, type: string): string[] {
  return client.frames.filter(frame => frame.type === type).map(userOf);
}

export function userOf({ payload }: Frame): string {
  return (payload?.user as { id: string } | undefined)?.id ?? '';
}
