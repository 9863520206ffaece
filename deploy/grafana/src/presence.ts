/** Presence: who owns what, how far behind it is, whom it has seen die. */
import { board } from './board.js';
import { graph, stat } from './panels.js';

const ONES = 'instance=~"$instance"';
const rate = (metric: string): string => `sum by (instance) (rate(${metric}{${ONES}}[$__rate_interval]))`;
const increase = (metric: string): string => `sum by (instance) (increase(${metric}{${ONES}}[$__rate_interval]))`;

export const presence = board({
  name: 'presence',
  title: 'Hubbub / Presence',
  description: 'The registry of who is where. While it is away messages flow, and reports wait in their streams.',
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
            'Rosters of these do not change, and their reports wait. 0, but for seconds after an instance ended.',
          unit: 'short',
          queries: [['max(hubbub_presence_partitions) - sum(hubbub_presence_partitions_owned)', 'without owner']],
          alarmAt: 1,
        }),
        stat({
          title: 'Instances that are ready',
          description: 'Share of the instances whose last round went well.',
          unit: 'percentunit',
          queries: [[`avg(hubbub_presence_ready{${ONES}})`, 'ready']],
          alarmBelow: 1,
        }),
        stat({
          title: 'Largest lag',
          description: 'Of all streams: how old the oldest report was that the last read found.',
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
            'By instance. They are shared evenly, and move within about a second when an instance comes or goes.',
          unit: 'short',
          queries: [[`hubbub_presence_partitions_owned{${ONES}}`, '{{instance}}']],
          stacked: true,
        }),
        graph({
          title: 'Lag of each stream',
          description:
            'Age of the oldest report of the last read, by partition. One high: a hot room. All high: presence or Redis is too slow.',
          unit: 's',
          queries: [[`max by (partition) (hubbub_presence_stream_lag_seconds{${ONES}})`, 'partition {{partition}}']],
          warnAt: 1,
          alarmAt: 5,
        }),
        graph({
          title: 'Claims, losses, stale commits',
          description:
            'Partitions claimed; claimed with nothing known of them (Redis came back empty); commits refused because another owns the partition.',
          unit: 'short',
          queries: [
            [increase('hubbub_presence_claims_total'), 'claimed {{instance}}'],
            [increase('hubbub_presence_lost_partitions_total'), 'lost {{instance}}'],
            [increase('hubbub_presence_stale_commits_total'), 'stale {{instance}}'],
          ],
        }),
      ],
    },
    {
      title: 'What it does',
      panels: [
        graph({
          title: 'Reports and commits',
          description: 'Joins, leaves and statuses that were applied; writes to the registry; what was no report.',
          unit: 'ops',
          queries: [
            [rate('hubbub_presence_reports_applied_total'), 'reports {{instance}}'],
            [rate('hubbub_presence_commits_total'), 'commits {{instance}}'],
            [rate('hubbub_presence_malformed_reports_total'), 'malformed {{instance}}'],
          ],
        }),
        graph({
          title: 'Edges found dead',
          description:
            'Leases that ran out, an edge that was fenced among them; and sessions without a lease behind them.',
          unit: 'short',
          queries: [
            [increase('hubbub_presence_reaped_nodes_total'), 'dead {{instance}}'],
            [increase('hubbub_presence_orphaned_incarnations_total'), 'orphaned {{instance}}'],
          ],
          warnAt: 1,
        }),
        graph({
          title: 'Failed rounds, refused sessions',
          description:
            'Rounds that Redis did not answer or refused; sessions that were ended because their user has too many.',
          unit: 'short',
          queries: [
            [increase('hubbub_presence_failures_total'), 'failed {{instance}}'],
            [increase('hubbub_presence_sessions_refused_total'), 'refused {{instance}}'],
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
          description: 'Rooms with somebody in them; users in rosters, in two rooms is two; users online.',
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
            'The largest, and the mean. Above HUBBUB_ROSTER_COUNT_THRESHOLD (500) members hear counts instead of names.',
          unit: 'short',
          queries: [
            [`max(hubbub_presence_largest_roster_users{${ONES}})`, 'largest'],
            [`sum(hubbub_presence_roster_users{${ONES}}) / clamp_min(sum(hubbub_presence_rooms{${ONES}}), 1)`, 'mean'],
          ],
        }),
        graph({
          title: 'Event-loop delay and processor',
          description: 'Delay of the event loop (p99), and processor time in seconds a second.',
          unit: 's',
          queries: [
            [
              `nodejs_eventloop_lag_p99_seconds{${ONES}} and on (instance) hubbub_presence_ready`,
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
