/** How many client events wait for services: asked of the broker when metrics are scraped, because all edges fill one log. */
import type { EventBacklog, EventLog } from '@hubbub/broker';
import { type Namespaces, namespaceSettings } from '@hubbub/config';
import { type MetricsRegistry, metricsKit } from '@hubbub/runtime';

/** Services choose the names of groups: this many of a namespace are reported, in the order of the broker. */
const GROUPS_MAX = 50;

/** Every edge reports the same numbers: take the highest, not the sum. */
export function createEventBacklogMetrics(
  registry: MetricsRegistry,
  log: Pick<EventLog, 'backlog'>,
  namespaces: Namespaces,
): void {
  const withEvents = Object.keys(namespaces).filter(name => namespaceSettings(namespaces, name).events.length > 0);
  if (withEvents.length === 0) return;
  let asked: Promise<readonly NamespaceBacklog[]> | undefined;
  /** One question for both numbers of a scrape. */
  const ask = (): Promise<readonly NamespaceBacklog[]> => {
    asked ??= askAll(log, withEvents).finally(() => {
      asked = undefined;
    });
    return asked;
  };
  const { gaugeBy } = metricsKit(registry);
  gaugeBy(
    'hubbub_edge_events_in_log',
    'Client events in the log of a namespace, at most maxWaitingEvents. Every edge reports the same value.',
    ['namespace'],
    async () => (await ask()).map(({ namespace, length }) => [{ namespace }, length] as const),
    'max',
  );
  gaugeBy(
    'hubbub_edge_events_waiting',
    'Client events that a group of services has not acknowledged. Every edge reports the same value.',
    ['namespace', 'group'],
    async () =>
      (await ask()).flatMap(({ namespace, groups }) =>
        groups.slice(0, GROUPS_MAX).map(({ group, waiting }) => [{ namespace, group }, waiting] as const),
      ),
    'max',
  );
}

interface NamespaceBacklog extends EventBacklog {
  readonly namespace: string;
}

async function askAll(log: Pick<EventLog, 'backlog'>, names: readonly string[]): Promise<readonly NamespaceBacklog[]> {
  const backlogs = await Promise.all(
    names.map(async namespace => {
      // Unknown while Redis is away: no number is better than an old one.
      const backlog = await log.backlog(namespace).catch(() => undefined);
      return backlog === undefined ? [] : [{ ...backlog, namespace }];
    }),
  );
  return backlogs.flat();
}
