/** Presence: partition owners, lag, and dead edges. */
import { board } from './board.js';
import { graph, stat } from './panels.js';

const ONES = 'instance=~"$instance"';
const rate = (metric: string): string => `sum by (instance) (rate(${metric}{${ONES}}[$__rate_interval]))`;
const increase = (metric: string): string => `sum by (instance) (increase(${metric}{${ONES}}[$__rate_interval]))`;

export const presence = board({
  name: 'presence',
  title: 'Hubbub / Presence',
  description:
    'The registry of sessions. While presence is down, messages still flow, and reports wait in their streams.',
  variables: [
    { name: 'instance', label: 'Instances', metric: 'hubbub_presence_ready', values: 'instance', several: true },
  ],
  rows: [
    {
      title: 'State',
      panels: [
        stat({
          title: 'Partitions without owner',
          description:
            'The rosters of these partitions do not change, and their reports wait. The value is 0, except for seconds after an instance ended.',
          unit: 'short',
          queries: [['max(hubbub_presence_partitions) - sum(hubbub_presence_partitions_owned)', 'without owner']],
          alarmAt: 1,
        }),
        stat({
          title: 'Ready instances',
          description: 'Share of instances with a successful last round.',
          unit: 'percentunit',
          queries: [[`avg(hubbub_presence_ready{${ONES}})`, 'ready']],
          alarmBelow: 1,
        }),
        stat({
          title: 'Largest lag',
          description: 'Maximum over all streams of the age of the oldest report in the last read.',
          unit: 's',
          queries: [[`max(hubbub_presence_stream_lag_seconds{${ONES}})`, 'lag']],
          warnAt: 1,
          alarmAt: 5,
        }),
        stat({
          title: 'Users online',
          description: 'In the whole cluster.',
          unit: 'short',
          queries: [['sum(hubbub_presence_users_online)', 'users']],
        }),
      ],
    },
    {
      title: 'Partitions and their streams',
      panels: [
        graph({
          title: 'Partitions owned',
          description:
            'By instance. Instances share partitions evenly, and move them within about a second when an instance starts or stops.',
          unit: 'short',
          queries: [[`hubbub_presence_partitions_owned{${ONES}}`, '{{instance}}']],
          stacked: true,
        }),
        graph({
          title: 'Lag of each stream',
          description:
            'Age of the oldest report in the last read, by partition. If one is high, a room is hot. If all are high, presence or Redis is too slow.',
          unit: 's',
          queries: [[`max by (partition) (hubbub_presence_stream_lag_seconds{${ONES}})`, 'partition {{partition}}']],
          warnAt: 1,
          alarmAt: 5,
        }),
        graph({
          title: 'Claims, losses, stale commits',
          description:
            'Claimed partitions, claimed partitions whose data was missing or may be old (Redis restarted), and refused commits (another instance owns the partition, or Redis restarted).',
          unit: 'short',
          queries: [
            [increase('hubbub_presence_claims_total'), 'claimed {{instance}}'],
            [increase('hubbub_presence_lost_partitions_total'), 'lost {{instance}}'],
            [increase('hubbub_presence_stale_commits_total'), 'stale {{instance}}'],
            [increase('hubbub_redis_presence_messages_lost_total'), 'lost messages {{instance}}'],
          ],
        }),
      ],
    },
    {
      title: 'Work',
      panels: [
        graph({
          title: 'Reports and commits',
          description: 'Applied joins, leaves and statuses, writes to the registry, and malformed reports.',
          unit: 'ops',
          queries: [
            [rate('hubbub_presence_reports_applied_total'), 'reports {{instance}}'],
            [rate('hubbub_presence_commits_total'), 'commits {{instance}}'],
            [rate('hubbub_presence_malformed_reports_total'), 'malformed {{instance}}'],
            [rate('hubbub_presence_unsupported_reports_total'), 'unsupported version {{instance}}'],
          ],
        }),
        graph({
          title: 'Dead edges',
          description:
            'Expired leases, including those of fenced edges, incarnations without a lease, and times in which no edge could be declared dead.',
          unit: 'short',
          queries: [
            [increase('hubbub_presence_reaped_nodes_total'), 'dead {{instance}}'],
            [increase('hubbub_presence_orphaned_incarnations_total'), 'orphaned {{instance}}'],
            [increase('hubbub_presence_reaping_holds_total'), 'held {{instance}}'],
          ],
          warnAt: 1,
        }),
        graph({
          title: 'Failed rounds, refused sessions, removed members',
          description:
            'Rounds that Redis did not answer or refused; sessions and kept members removed because their user had too many.',
          unit: 'short',
          queries: [
            [increase('hubbub_presence_failures_total'), 'failed {{instance}}'],
            [increase('hubbub_presence_sessions_refused_total'), 'refused {{instance}}'],
            [increase('hubbub_presence_kept_members_removed_total'), 'removed {{instance}}'],
          ],
          warnAt: 1,
        }),
      ],
    },
    {
      title: 'Rosters and process',
      panels: [
        graph({
          title: 'Rooms and roster entries',
          description: 'Rooms with a member, users in rosters (a user in two rooms counts twice), and users online.',
          unit: 'short',
          queries: [
            [`sum(hubbub_presence_rooms{${ONES}})`, 'rooms'],
            [`sum(hubbub_presence_roster_users{${ONES}})`, 'roster entries'],
            [`sum(hubbub_presence_users_online{${ONES}})`, 'users online'],
          ],
        }),
        graph({
          title: 'Sizes of rosters',
          description:
            'The largest and the mean roster. Above HUBBUB_ROSTER_COUNT_THRESHOLD (500) members receive counts instead of names.',
          unit: 'short',
          queries: [
            [`max(hubbub_presence_largest_roster_users{${ONES}})`, 'largest'],
            [`sum(hubbub_presence_roster_users{${ONES}}) / clamp_min(sum(hubbub_presence_rooms{${ONES}}), 1)`, 'mean'],
          ],
        }),
        graph({
          title: 'Wire version',
          description:
            'Version in which edges and presence write, and the highest one that every node reads. The first follows the second after a minute.',
          unit: 'short',
          queries: [
            [`hubbub_presence_wire_version{${ONES}}`, 'written by {{instance}}'],
            ['hubbub_edge_wire_version', 'written by {{instance}}'],
            ['min(hubbub_presence_lowest_wire_version)', 'read by all'],
          ],
        }),
        graph({
          title: 'Event-loop delay and processor',
          description: 'Event loop delay (p99), and processor time in seconds per second.',
          unit: 's',
          queries: [
            [
              `histogram_quantile(0.99, sum by (le, instance) (rate(hubbub_event_loop_delay_seconds_bucket{${ONES}}[$__rate_interval]))) and on (instance) hubbub_presence_ready`,
              'delay p99 {{instance}}',
            ],
            [
              `rate(process_cpu_seconds_total{${ONES}}[$__rate_interval]) and on (instance) hubbub_presence_ready`,
              'processor {{instance}}',
            ],
          ],
          warnAt: 0.7,
          alarmAt: 0.9,
        }),
      ],
    },
  ],
});
