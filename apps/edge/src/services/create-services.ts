/** Creates what connects services to this edge: client events to them, their controls, and the node's own channel. */
import type { EventLog, NamespaceDirectory } from '@hubbub/broker';
import type { Config } from '@hubbub/config';
import type { Channels, SessionLimits } from '@hubbub/protocol';
import type { Logger, MetricsRegistry } from '@hubbub/runtime';
import type { Conflation } from '../conflation/conflation.js';
import type { PublishWindow } from '../limits/publish-window.js';
import type { EdgeMetrics } from '../metrics.js';
import type { RosterQuestions } from '../presence/roster-questions.js';
import type { Memberships } from '../rooms/memberships.js';
import type { Sessions } from '../sessions/sessions.js';
import { createEventBacklogMetrics } from './event-backlog-metrics.js';
import { EventPublisher } from './event-publisher.js';
import { announceNamespaces } from './namespace-announcement.js';
import { createNodeChannel } from './node-channel.js';
import { createRoomControl } from './room-control.js';
import { createSessionControl } from './session-control.js';

export interface ServicesParts {
  readonly eventLog: EventLog;
  readonly namespaceDirectory: NamespaceDirectory;
  readonly channels: Channels;
  readonly sessions: Sessions;
  readonly memberships: Memberships;
  readonly conflation: Conflation;
  readonly questions: RosterQuestions;
  readonly limits: SessionLimits;
  readonly window: PublishWindow;
  readonly onProbe: (number: number) => void;
  readonly metrics: EdgeMetrics;
  readonly registry: MetricsRegistry;
  readonly log: Logger;
}

export function createServices(config: Config, parts: ServicesParts) {
  const { eventLog, metrics, window } = parts;
  createEventBacklogMetrics(parts.registry, eventLog, config.namespaces);
  return {
    events: new EventPublisher({ log: eventLog, config, metrics, window }),
    onControl: createRoomControl(parts),
    onNodeEnvelope: createNodeChannel({
      ...parts,
      channel: parts.channels.node(config.nodeId),
      onControl: createSessionControl(parts),
    }),
    announcement: announceNamespaces(parts.namespaceDirectory, config.namespaces, parts.log),
  };
}
