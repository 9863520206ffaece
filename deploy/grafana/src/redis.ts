/** Redis as Hubbub sees it: latency, failures, and its own values. This needs no exporter. */
import { board } from './board.js';
import { graph, stat } from './panels.js';

const EDGES = 'instance=~"$instance"';
/** All presence instances report the same values of a server: take the maximum. */
const highest = (metric: string): string => `max by (server) (hubbub_redis_${metric})`;
const highestRate = (metric: string): string =>
  `max by (server) (rate(hubbub_redis_${metric}_total[$__rate_interval]))`;
const highestIncrease = (metric: string): string =>
  `max by (server) (increase(hubbub_redis_${metric}_total[$__rate_interval]))`;

export const redis = board({
  name: 'redis',
  title: 'Hubbub / Redis',
  description:
    'Each server of Redis as edges and presence see it, and the values that it reports to presence (INFO) at each scrape.',
  variables: [{ name: 'instance', label: 'Edges', metric: 'hubbub_edge_sessions', values: 'instance', several: true }],
  rows: [
    {
      title: 'State',
      panels: [
        stat({
          title: 'Available',
          description: '1 if Redis answered presence at the last scrape.',
          unit: 'short',
          queries: [[highest('up'), '{{server}}']],
          alarmBelow: 1,
        }),
        stat({
          title: 'Memory of maxmemory',
          description:
            'Without maxmemory, there is no share and no bound. At 100 % Redis refuses publishes to rooms with history.',
          unit: 'percentunit',
          queries: [[`${highest('memory_used_bytes')} / ${highest('memory_max_bytes')}`, '{{server}}']],
          warnAt: 0.75,
          alarmAt: 0.85,
        }),
        stat({
          title: 'Processor',
          description: 'Redis executes commands on one core. At 1 the core is full, and all commands wait.',
          unit: 'percentunit',
          queries: [[highestRate('cpu_seconds'), '{{server}}']],
          warnAt: 0.6,
          alarmAt: 0.85,
        }),
        stat({
          title: 'Uptime',
          description:
            'Time since Redis started. Without persistence, a restart loses the histories, and edges report the gaps to clients.',
          unit: 's',
          queries: [[highest('uptime_seconds'), '{{server}}']],
        }),
      ],
    },
    {
      title: 'As Hubbub sees it',
      panels: [
        graph({
          title: 'Self-probe round trip, p99',
          description: 'A message from each edge to itself: PUBLISH, and back over the subscription.',
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
          queries: [['hubbub_redis_answer_seconds', '{{server}} {{instance}}']],
          warnAt: 0.1,
          alarmAt: 0.5,
        }),
        graph({
          title: 'Broken and silent subscriptions',
          description:
            'Subscriptions that broke and recovered, and probes that did not return on an open connection. Edges resync the rooms or report a gap.',
          unit: 'short',
          queries: [
            [`increase(hubbub_edge_interruptions_total{${EDGES}}[$__rate_interval])`, 'broken {{instance}}'],
            [`1 - hubbub_edge_redis_heard{${EDGES}}`, 'silent {{server}} {{instance}}'],
            [`increase(hubbub_edge_deaf_subscriptions_total{${EDGES}}[$__rate_interval])`, 'deaf {{instance}}'],
          ],
          warnAt: 1,
        }),
        graph({
          title: 'Connection failures',
          description: 'Refused, broken, or no answer in time, as the processes report it. Each process reconnects.',
          unit: 'ops',
          queries: [['sum by (job) (rate(hubbub_redis_connection_failures_total[$__rate_interval]))', '{{job}}']],
        }),
        graph({
          title: 'Waits for a replica',
          description:
            'Seconds until a replica confirmed the messages of durable namespaces (p99), and those not confirmed.',
          unit: 'short',
          queries: [
            [
              'histogram_quantile(0.99, sum by (le) (rate(hubbub_durable_wait_seconds_bucket[$__rate_interval]))) >= 0 or vector(0)',
              'p99',
            ],
            ['sum(increase(hubbub_durable_unconfirmed_total[$__rate_interval]))', 'not confirmed'],
          ],
        }),
      ].map(panel => panel.span(6)),
    },
    {
      title: 'As Redis reports it',
      panels: [
        graph({
          title: 'Commands',
          description: 'Commands of all clients of this Redis.',
          unit: 'ops',
          queries: [
            [highestRate('commands'), 'commands {{server}}'],
            [highestRate('errors'), 'answered with an error {{server}}'],
          ],
        }),
        graph({
          title: 'Bytes',
          description: 'Redis sends each message once per edge with a member of the room.',
          unit: 'Bps',
          queries: [
            [highestRate('received_bytes'), 'received {{server}}'],
            [highestRate('sent_bytes'), 'sent {{server}}'],
          ],
        }),
        graph({
          title: 'Memory',
          description: 'Allocated memory, resident memory, connection buffers, and the limit.',
          unit: 'bytes',
          queries: [
            [highest('memory_used_bytes'), 'used {{server}}'],
            [highest('memory_resident_bytes'), 'resident {{server}}'],
            [highest('memory_clients_bytes'), 'buffers of connections {{server}}'],
            [highest('memory_max_bytes'), 'maxmemory {{server}}'],
          ],
        }),
        graph({
          title: 'Connections and channels',
          description: 'Connections, connections in a blocking read, and channels with a subscriber.',
          unit: 'short',
          queries: [
            [highest('connected_clients'), 'connections {{server}}'],
            [highest('blocked_clients'), 'waiting {{server}}'],
            [highest('pubsub_channels'), 'channels {{server}}'],
          ],
        }),
        graph({
          title: 'Accepted, refused and closed connections',
          description: 'cut off: an edge exceeded client-output-buffer-limit and missed messages. refused: maxclients.',
          unit: 'short',
          queries: [
            [highestIncrease('connections'), 'accepted {{server}}'],
            [highestIncrease('rejected_connections'), 'refused {{server}}'],
            [highestIncrease('output_limit_disconnections'), 'cut off {{server}}'],
          ],
        }),
        graph({
          title: 'Deleted keys',
          description: 'Expired keys are normal. Evicted keys must stay at 0: set maxmemory-policy noeviction.',
          unit: 'ops',
          queries: [
            [highestRate('expired_keys'), 'expired {{server}}'],
            [highestRate('evicted_keys'), 'evicted {{server}}'],
          ],
        }),
      ],
    },
  ],
});
