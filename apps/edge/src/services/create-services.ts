/** Creates what connects services to this edge: client events to them, their controls, and the node's own channel. */
import type { Broker, EventLog, NamespaceDirectory } from '@hubbub/broker';
import type { Config } from '@hubbub/config';
import type { Channels, SessionLimits } from '@hubbub/protocol';
import type { NodeLoad } from '@hubbub/protocol/account';
import type { Logger, MetricsRegistry, Tracing } from '@hubbub/runtime';
import type { AccountMetrics } from '../account/account-metrics.js';
import type { Accounts } from '../account/accounts.js';
import type { Conflation } from '../conflation/conflation.js';
import type { RoomFeeds } from '../history/room-feeds.js';
import type { PublishWindow } from '../limits/publish-window.js';
import type { EdgeMetrics } from '../metrics.js';
import type { PresenceReporter } from '../presence/presence-reporter.js';
import type { RosterQuestions } from '../presence/roster-questions.js';
import type { Audiences } from '../rooms/fanout.js';
import type { Memberships } from '../rooms/memberships.js';
import type { Sessions } from '../sessions/sessions.js';
import { createEventBacklogMetrics } from './event-backlog-metrics.js';
import { EventPublisher } from './event-publisher.js';
import { createExplainControl } from './explain-control.js';
import { announceNamespaces } from './namespace-announcement.js';
import { createNodeChannel } from './node-channel.js';
import { createRoomControl } from './room-control.js';
import { createSessionControl } from './session-control.js';

export interface ServicesParts {
  readonly broker: Pick<Broker, 'publish'>;
  readonly eventLog: EventLog;
  readonly namespaceDirectory: NamespaceDirectory;
  readonly channels: Channels;
  readonly sessions: Sessions;
  readonly accounts: Accounts;
  readonly accountMetrics: AccountMetrics;
  readonly audiences: Pick<Audiences, 'membersOf' | 'judgeRoster'>;
  readonly presence: Pick<PresenceReporter, 'joined'>;
  readonly feeds: Pick<RoomFeeds, 'of'>;
  readonly load: () => NodeLoad;
  readonly memberships: Memberships;
  readonly conflation: Conflation;
  readonly questions: RosterQuestions;
  readonly limits: SessionLimits;
  readonly window: PublishWindow;
  readonly onProbe: (number: number) => void;
  /** Moves this share of the sessions, in percent. Returns their number. */
  readonly onMove: (percent: number) => number;
  readonly metrics: EdgeMetrics;
  readonly registry: MetricsRegistry;
  readonly tracing: Tracing;
  readonly log: Logger;
}

export function createServices(config: Config, parts: ServicesParts) {
  const { eventLog, metrics, channels, audiences, feeds, window, tracing } = parts;
  createEventBacklogMetrics(parts.registry, eventLog, config.namespaces);
  return {
    events: new EventPublisher({ log: eventLog, config, metrics, window, tracing }),
    onControl: createRoomControl(parts),
    onNodeEnvelope: createNodeChannel({
      ...parts,
      channel: parts.channels.node(config.nodeId),
      onControl: createSessionControl(parts),
      onExplain: createExplainControl({
        ...parts,
        node: config.nodeId,
        questionsPerSecond: config.explainQuestionsPerSecond,
        membersOf: room => audiences.membersOf(room),
        positionOf: room => feeds.of(channels.room(room))?.position,
        metrics: parts.accountMetrics,
      }),
    }),
    announcement: announceNamespaces(parts.namespaceDirectory, config.namespaces, parts.log),
  };
}
