/** Moves sessions between edges: asks edges to send a share of theirs away, and to stay. */
import type { BrokerClient } from '@hubbub/broker';
import { type Channels, HubbubError, nodeOf } from '@hubbub/protocol';
import { fieldsOf, wholeNumber } from './checks.js';
import { encodeControl } from './publication.js';

export interface MoveRequest {
  /** Share of the sessions, from 1 to 100. */
  readonly percent: number;
  /** Default: every edge. */
  readonly node?: string;
}

/**
 * Returns the nodes that were asked.
 * @throws {HubbubError} `INVALID_FORMAT`, `NOT_FOUND` if no edge has that name, or `UNAVAILABLE`
 */
export async function moveSessions(
  { broker, leases }: Pick<BrokerClient, 'broker' | 'leases'>,
  channels: Channels,
  request: MoveRequest,
): Promise<readonly string[]> {
  const { percent, node } = fieldsOf('request', request);
  const control = encodeControl({ do: 'move_sessions', percent: wholeNumber('percent', percent, 1, 100) });
  const living = new Set((await leases.living()).map(({ incarnation }) => nodeOf(incarnation)));
  const nodes = [...living].filter(name => node === undefined || name === node).sort();
  if (nodes.length === 0) {
    throw new HubbubError('NOT_FOUND', node === undefined ? 'There is no edge.' : `There is no edge ${node}.`);
  }
  await Promise.all(nodes.map(name => broker.publish(channels.node(name), control)));
  return nodes;
}
