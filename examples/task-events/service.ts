/** Chat and tasks from an event bus: events of other programs become frames for the users concerned. */
import type { Example, ServiceParts } from '../service/example.js';
import { createAnnouncer } from './announcer.js';
import { answerClientEvents } from './client-events.js';
import { MemoryDomainEventBus } from './domain-event-bus.js';
import { RedisDomainEventBus } from './redis/redis-domain-event-bus.js';
import { serveWorkspace } from './workspace-http.js';

const DAY_MS = 86_400_000;

export const taskEvents: Example = {
  name: 'task-events',
  title: 'Chat and tasks',
  stateTtlMs: DAY_MS,
  start: startTaskEvents,
};

function startTaskEvents({ hubbub, mint, documents, http, redis, timeMs, onClose }: ServiceParts): void {
  const leaseMs = timeMs('EXAMPLE_LEASE_MS', 5000);
  const announce = createAnnouncer({ hubbub, documents });
  const bus =
    redis === undefined
      ? new MemoryDomainEventBus(announce)
      : new RedisDomainEventBus({ ...redis, leaseMs, ttlMs: DAY_MS }, announce);
  onClose(() => void bus.close());
  answerClientEvents({ hubbub, documents, leaseMs });
  serveWorkspace({ http, hubbub, mint, documents, bus });
}
