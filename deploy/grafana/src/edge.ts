/** One edge: frames, deliveries, recovery, process. */
import { board } from './board.js';
import { graph, type Query, stat } from './panels.js';

const EDGE = 'instance="$instance"';
const rate = (metric: string, labels = ''): string => `rate(${metric}{${EDGE}${labels}}[$__rate_interval])`;
const increase = (metric: string): string => `increase(${metric}{${EDGE}}[$__rate_interval])`;
const quantiles = (metric: string): Query[] =>
  [0.5, 0.95, 0.99].map(q => [`histogram_quantile(${q}, sum by (le) (${rate(`${metric}_bucket`)}))`, `p${q * 100}`]);

export const edge = board({
  name: 'edge',
  title: 'Hubbub / One edge',
  description: 'The edge selected above. With --workers, it is the sum of all workers of a port.',
  variables: [{ name: 'instance', label: 'Edge', metric: 'hubbub_edge_sessions', values: 'instance', several: false }],
  rows: [
    {
      title: 'State',
      panels: [
        stat({
          title: 'Ready',
          description: '1 if /readyz is green. Otherwise /readyz names the failed check.',
          unit: 'short',
          queries: [[`hubbub_edge_ready{${EDGE}}`, 'ready']],
          alarmBelow: 1,
          width: 4,
        }),
        stat({
          title: 'Sessions',
          description: 'Client connections on this edge; among them, readers of server-sent events.',
          unit: 'short',
          queries: [
            [`hubbub_edge_sessions{${EDGE}}`, 'sessions'],
            [`hubbub_edge_event_streams{${EDGE}}`, 'event streams'],
            [`hubbub_edge_session_limit{${EDGE}}`, 'limit'],
          ],
          width: 4,
        }),
        stat({
          title: 'Rooms',
          description: 'Rooms with a member on this edge.',
          unit: 'short',
          queries: [[`hubbub_edge_rooms{${EDGE}}`, 'rooms']],
          width: 4,
        }),
        stat({
          title: 'Subscriptions',
          description: 'Redis channels of rooms and users, including those that linger after the last member left.',
          unit: 'short',
          queries: [[`hubbub_edge_subscriptions{${EDGE}}`, 'subscriptions']],
          width: 4,
        }),
        stat({
          title: 'Sessions that leave',
          description:
            'left: sessions that this edge still has to disconnect while it drains; it should reach 0 within the drain window. moved: sessions that it moved to others in a minute while it stays, by hubbub drain or by their age.',
          unit: 'short',
          queries: [
            [`hubbub_edge_drain_remaining{${EDGE}}`, 'left'],
            [`sum(increase(hubbub_edge_moved_sessions_total{${EDGE}}[1m]))`, 'moved'],
          ],
          width: 4,
        }),
        stat({
          title: 'Engine and workers',
          description: 'The loaded build of uWebSockets.js, and the number of processes with --workers.',
          unit: 'short',
          queries: [
            [`hubbub_edge_engine_info{${EDGE}}`, '{{build}}'],
            [`hubbub_edge_workers{${EDGE}}`, 'workers'],
          ],
          width: 4,
        }),
      ],
    },
    {
      title: 'Frames and messages',
      panels: [
        graph({
          title: 'Frames by type and result',
          description: 'Frames from clients, with the result: ok, or the error code.',
          unit: 'ops',
          queries: [
            [`sum by (type, result) (${rate('hubbub_edge_frames_total')})`, '{{type}} {{result}}'],
            [rate('hubbub_edge_unanswered_questions_total'), 'online_users without an answer of presence'],
          ],
        }),
        graph({
          title: 'Messages and deliveries',
          description:
            'Messages from the broker with an audience on this edge, and messages handed to sockets. The edge drops malformed messages.',
          unit: 'ops',
          queries: [
            [rate('hubbub_edge_envelopes_total'), 'messages'],
            [rate('hubbub_edge_deliveries_total'), 'deliveries'],
            [rate('hubbub_edge_malformed_envelopes_total'), 'malformed'],
            [rate('hubbub_edge_unsupported_envelopes_total'), 'unsupported version'],
          ],
        }),
        graph({
          title: 'Bytes from and to clients',
          description: 'Message bodies, without WebSocket and TLS framing.',
          unit: 'Bps',
          queries: [
            [rate('hubbub_edge_received_bytes_total'), 'received'],
            [rate('hubbub_edge_delivered_bytes_total'), 'delivered'],
          ],
        }),
        graph({
          title: 'Delivery lag',
          description: 'Time from publishing a message to handing it to the sockets of this edge.',
          unit: 's',
          queries: quantiles('hubbub_edge_delivery_lag_seconds'),
          warnAt: 0.25,
          alarmAt: 1,
        }),
        graph({
          title: 'Slow readers and conflation',
          description:
            'Slow sessions that the edge disconnected, sessions that get only the newest message per key, and messages that newer ones replaced.',
          unit: 'short',
          queries: [
            [increase('hubbub_edge_slow_readers_total'), 'cut off'],
            [increase('hubbub_edge_conflations_total'), 'began to conflate'],
            [`hubbub_edge_conflating_sessions{${EDGE}}`, 'conflating'],
            [increase('hubbub_edge_conflated_messages_total'), 'messages that gave way'],
          ],
        }),
        graph({
          title: 'Ended sessions by close code',
          description: 'PROTOCOL.md section 4 lists the codes.',
          unit: 'ops',
          queries: [[`sum by (code) (${rate('hubbub_edge_closes_total')})`, '{{code}}']],
        }),
      ],
    },
    {
      title: 'Recovery',
      panels: [
        graph({
          title: 'Recoveries and gaps',
          description: 'Positions that sessions sent, by result, and gaps that the edge reported to rooms.',
          unit: 'short',
          queries: [
            [`sum by (result) (${increase('hubbub_edge_recoveries_total')})`, 'recovery: {{result}}'],
            [`sum by (reason) (${increase('hubbub_edge_room_gaps_total')})`, 'gap: {{reason}}'],
            [increase('hubbub_acknowledged_lost_total'), 'rooms with lost acknowledged messages'],
          ],
        }),
        graph({
          title: 'Histories',
          description:
            'Reads by purpose, rooms that were or may have been behind, and messages that a read had already delivered.',
          unit: 'ops',
          queries: [
            [`sum by (purpose) (${rate('hubbub_edge_history_reads_total')})`, 'read: {{purpose}}'],
            [rate('hubbub_edge_catch_ups_total'), 'catch-ups'],
            [rate('hubbub_edge_duplicates_dropped_total'), 'duplicates dropped'],
            [rate('hubbub_edge_replay_windows_dropped_total'), 'replay windows dropped'],
          ],
        }),
      ],
    },
    {
      title: 'Process',
      panels: [
        graph({
          title: 'Event-loop delay and processor',
          description:
            'Event loop delay (p99) in seconds, and processor time in seconds per second (1 is a full core). Leases renewed by the lease thread, and joins that resyncs repeated.',
          unit: 's',
          queries: [
            [
              `histogram_quantile(0.99, sum by (le, instance) (rate(hubbub_event_loop_delay_seconds_bucket{${EDGE}}[$__rate_interval])))`,
              'delay p99',
            ],
            [rate('process_cpu_seconds_total'), 'processor'],
            [increase('hubbub_edge_late_lease_renewals_total'), 'late renewals'],
            [increase('hubbub_edge_repeated_joins_total'), 'joins reported again'],
          ],
          warnAt: 0.7,
          alarmAt: 0.9,
        }),
        graph({
          title: 'Memory',
          description:
            'Resident memory, with the share of the heap and of replay windows. Sockets and their buffers are outside the heap.',
          unit: 'bytes',
          queries: [
            [`process_resident_memory_bytes{${EDGE}}`, 'resident'],
            [`nodejs_heap_size_used_bytes{${EDGE}}`, 'heap'],
            [`hubbub_edge_replay_bytes{${EDGE}}`, 'replays'],
            [`hubbub_edge_buffered_bytes{${EDGE}}`, 'slow readers'],
          ],
        }),
      ],
    },
  ],
});
