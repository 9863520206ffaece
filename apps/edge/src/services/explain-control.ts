/** Answers questions of `hubbub explain`: publishes this edge's account of a user, a session or a room (docs/decisions/0011). */
import type { Broker } from '@hubbub/broker';
import { type Channels, type Control, encodeEnvelope } from '@hubbub/protocol';
import type { NodeAccount } from '@hubbub/protocol/account';
import { TokenBucket } from '@hubbub/runtime';
import { type AccountParts, encodeAccount } from '../account/account-answer.js';
import type { AccountMetrics } from '../account/account-metrics.js';

export interface ExplainControlParts extends AccountParts {
  readonly broker: Pick<Broker, 'publish'>;
  readonly channels: Channels;
  readonly questionsPerSecond: number;
  readonly metrics: AccountMetrics;
}

/** An account reads every session of the edge in the worst case: questions are few, and never many together. */
export function createExplainControl(parts: ExplainControlParts): (control: Control & { do: 'explain' }) => void {
  const { broker, channels, questionsPerSecond: perSecond, metrics, node, accounts } = parts;
  const allowance = new TokenBucket({ perSecond, burst: 2 * perSecond }, performance.now());

  function answer({ user, session, room }: Control & { do: 'explain' }): Uint8Array {
    if (allowance.waitMs(performance.now()) > 0) {
      metrics.question('busy');
      const since = new Date(accounts.startedAtMs).toISOString();
      const busy: NodeAccount = { node, since, busy: true, sessions: [], refusals: [], rooms: [] };
      return Buffer.from(JSON.stringify(busy));
    }
    allowance.take();
    metrics.question('answered');
    return encodeAccount({ user_id: user, session_id: session, room_id: room }, parts);
  }

  return control => {
    const envelope = encodeEnvelope({ encoding: 'json', publishedAtMs: Date.now() }, answer(control));
    // The one who asks reports an edge that does not answer.
    broker.publish(channels.account(control.question), envelope).catch(() => metrics.question('failed'));
  };
}
