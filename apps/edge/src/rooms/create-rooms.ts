/** Creates the rooms of an edge: their audiences, histories and members, and their publisher. */
import { type BrokerClient, Interest } from '@hubbub/broker';
import type { Config } from '@hubbub/config';
import type { Channels } from '@hubbub/protocol';
import type { Logger, MetricsRegistry, Tracing } from '@hubbub/runtime';
import type { Accounts } from '../account/accounts.js';
import type { Revocations } from '../admission/revocations.js';
import type { Conflation } from '../conflation/conflation.js';
import { createHistories } from '../history/create-histories.js';
import type { PublishWindow } from '../limits/publish-window.js';
import type { EdgeMetrics } from '../metrics.js';
import type { PresenceReporter } from '../presence/presence-reporter.js';
import type { Session } from '../sessions/session.js';
import type { Sessions } from '../sessions/sessions.js';
import type { PublishToTopic } from './audience.js';
import { Audiences } from './fanout.js';
import { Memberships } from './memberships.js';
import { RoomPublisher } from './room-publisher.js';
import { RoomTokens } from './room-tokens.js';

export interface RoomsParts {
  readonly brokerClient: BrokerClient;
  readonly channels: Channels;
  readonly sessions: Sessions;
  readonly publish: PublishToTopic;
  readonly window: PublishWindow;
  readonly presence: PresenceReporter;
  readonly revocations: Revocations;
  /** Called when the room token of a member ends, and the session has no other right to stay. */
  readonly removeMember: (session: Session, room: string, reason: string) => void;
  readonly conflation: Conflation;
  readonly accounts: Accounts;
  readonly metrics: EdgeMetrics;
  readonly registry: MetricsRegistry;
  readonly tracing: Tracing;
  readonly log: Logger;
}

export interface Rooms {
  readonly audiences: Audiences;
  readonly histories: ReturnType<typeof createHistories>;
  readonly interest: Interest;
  readonly roomTokens: RoomTokens;
  readonly memberships: Memberships;
  readonly publisher: RoomPublisher;
}

export function createRooms(config: Config, parts: RoomsParts): Rooms {
  const { brokerClient, channels } = parts;
  const { broker, history } = brokerClient;
  const { namespaces } = config;
  const audiences = new Audiences({ ...parts, namespaces });
  const histories = createHistories(config, {
    history,
    channels,
    metrics: parts.registry,
    deliver: (channel, message) => audiences.deliver(channel, message),
    reportGap: (channel, gap) => audiences.reportRoomGap(channel, gap),
    reportCrossing: (channel, crossing) => audiences.reportCrossing(channel, crossing),
  });
  const { feeds, joinFeed } = histories;
  const interest = new Interest(broker, config.subscriptionLingerMs);
  const roomTokens = new RoomTokens({ ...parts, namespaces, remove: parts.removeMember });
  const nodeChannel = channels.node(config.nodeId);
  return {
    audiences,
    histories,
    interest,
    roomTokens,
    memberships: new Memberships({ ...parts, roomTokens, interest, nodeChannel, audiences, feeds, joinFeed }),
    publisher: new RoomPublisher({ ...parts, broker, history, feeds, namespaces }),
  };
}
