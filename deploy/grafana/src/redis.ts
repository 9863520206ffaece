/** Redis as Hubbub sees it: how fast it answers, when it broke, and what it tells of itself. No exporter is needed. */
import { board } from './board.js';
import { graph, stat } from './panels.js';

const EDGES = 'instance=~"$instance"';
/** Every presence instance asks the same Redis: the highest is what it said. */
const told = (metric: string): string => `max(hubbub_redis_${metric})`;
const rateTold = (metric: string): string => `max(rate(hubbub_redis_${metric}_total[$__rate_interval]))`;
const increaseTold = (metric: string): string => `max(increase(hubbub_redis_${metric}_total[$__rate_interval]))`;

export const redis = board({
  name: 'redis',
  title: 'Hubbub / Redis',
  description: 'Redis as edges and presence see it, and what it tells presence (INFO) at each scrape.',
  variables: [{ name: 'instance', label: 'Edges', metric: 'hubbub_edge_sessions', values: 'instance', several: true }],
  rows: [
    {
      title: 'State',
      panels: [
        stat({
          title: 'Answers',
          description: '1 when it answered presence at the last scrape.',
          unit: 'short',
          queries: [[told('up'), 'up']],
          alarmBelow: 1,
        }),
        stat({
          title: 'Memory of maxmemory',
          description:
            'Without maxmemory there is no share to tell, and no bound either. At 100 % publishing to rooms with history is refused.',
          unit: 'percentunit',
          queries: [[`${told('memory_used_bytes')} / ${told('memory_max_bytes')}`, 'used']],
          warnAt: 0.75,
          alarmAt: 0.85,
        }),
        stat({
          title: 'Processor',
          description: 'Redis carries out commands on one core: at 1 it is full, and all waits.',
          unit: 'percentunit',
          queries: [[rateTold('cpu_seconds'), 'processor']],
          warnAt: 0.6,
          alarmAt: 0.85,
        }),
        stat({
          title: 'Runs since',
          description: 'Since its start. Without persistence a restart loses the histories, which clients are told.',
          unit: 's',
          queries: [[told('uptime_seconds'), 'uptime']],
        }),
      ],
    },
    {
      title: 'As Hubbub sees it',
      panels: [
        graph({
          title: 'Self-probe round trip, p99',
          description: 'A message of each edge to itself: PUBLISH, and back by the subscription.',
          unit: 's',
          queries: [
            [
              `histogram_quantile(0.99, sum by (le, instance) (rate(hubbub_edge_probe_round_trip_seconds_bucket{${EDGES}}[$__rate_interval])))`,
              '{{instance}}',
            ],
          ],
          warnAt: 0.25,
          alarmAt: 1,
        }),
        graph({
          title: 'Time to answer presence',
          description: 'One command at each scrape.',
          unit: 's',
          queries: [['hubbub_redis_answer_seconds', '{{instance}}']],
          warnAt: 0.1,
          alarmAt: 0.5,
        }),
        graph({
          title: 'Breaks of subscriptions, and silence',
          description:
            'Subscriptions that broke and are back, and probes that did not come back although the connection stood. Each may be a gap, which is mended or told.',
          unit: 'short',
          queries: [
            [`increase(hubbub_edge_interruptions_total{${EDGES}}[$__rate_interval])`, 'broken {{instance}}'],
            [`increase(hubbub_edge_deaf_subscriptions_total{${EDGES}}[$__rate_interval])`, 'deaf {{instance}}'],
          ],
          warnAt: 1,
        }),
        graph({
          title: 'Failures of connections',
          description: 'Refused, broken, or without an answer in time, as the processes report them; each tries again.',
          unit: 'ops',
          queries: [['sum by (job) (rate(hubbub_redis_connection_failures_total[$__rate_interval]))', '{{job}}']],
        }),
      ].map(panel => panel.span(6)),
    },
    {
      title: 'As it tells',
      panels: [
        graph({
          title: 'Commands',
          description: 'Of everybody who uses it.',
          unit: 'ops',
          queries: [
            [rateTold('commands'), 'commands'],
            [rateTold('errors'), 'answered with an error'],
          ],
        }),
        graph({
          title: 'Bytes',
          description: 'What it sends is what edges subscribe to: each message once for each edge with a member.',
          unit: 'Bps',
          queries: [
            [rateTold('received_bytes'), 'received'],
            [rateTold('sent_bytes'), 'sent'],
          ],
        }),
        graph({
          title: 'Memory',
          description: 'Allocated, resident, of buffers for connections, and the limit.',
          unit: 'bytes',
          queries: [
            [told('memory_used_bytes'), 'used'],
            [told('memory_resident_bytes'), 'resident'],
            [told('memory_clients_bytes'), 'buffers of connections'],
            [told('memory_max_bytes'), 'maxmemory'],
          ],
        }),
        graph({
          title: 'Connections and channels',
          description: 'Connections, those of them that wait in a blocking read, and channels with a subscriber.',
          unit: 'short',
          queries: [
            [told('connected_clients'), 'connections'],
            [told('blocked_clients'), 'waiting'],
            [told('pubsub_channels'), 'channels'],
          ],
        }),
        graph({
          title: 'Connections that came, were refused, were cut off',
          description:
            'Cut off: an edge was behind by more than client-output-buffer-limit, and has missed messages. Refused: maxclients.',
          unit: 'short',
          queries: [
            [increaseTold('connections'), 'came'],
            [increaseTold('rejected_connections'), 'refused'],
            [increaseTold('output_limit_disconnections'), 'cut off'],
          ],
        }),
        graph({
          title: 'Keys that went',
          description: 'Expired is as it should be. Evicted must stay 0: set maxmemory-policy noeviction.',
          unit: 'ops',
          queries: [
            [rateTold('expired_keys'), 'expired'],
            [rateTold('evicted_keys'), 'evicted'],
          ],
        }),
      ],
    },
  ],
});
