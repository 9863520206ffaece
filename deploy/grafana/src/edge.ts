/** One edge: what its clients do, what they get and when, what it mends, what it costs. */
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
  description: 'One edge, chosen above. With --workers it is all workers of a port, added up.',
  variables: [{ name: 'instance', label: 'Edge', metric: 'hubbub_edge_sessions', values: 'instance', several: false }],
  rows: [
    {
      title: 'State',
      panels: [
        stat({
          title: 'Ready',
          description: '1 when /readyz is green. Else look at /readyz: it says which check is red.',
          unit: 'short',
          queries: [[`hubbub_edge_ready{${EDGE}}`, 'ready']],
          alarmBelow: 1,
          width: 4,
        }),
        stat({
          title: 'Sessions',
          description: 'Connections of clients here.',
          unit: 'short',
          queries: [[`hubbub_edge_sessions{${EDGE}}`, 'sessions']],
          width: 4,
        }),
        stat({
          title: 'Rooms',
          description: 'Rooms with a member here.',
          unit: 'short',
          queries: [[`hubbub_edge_rooms{${EDGE}}`, 'rooms']],
          width: 4,
        }),
        stat({
          title: 'Subscriptions',
          description: 'Channels of Redis: rooms, users, and those that linger after the last one left.',
          unit: 'short',
          queries: [[`hubbub_edge_subscriptions{${EDGE}}`, 'subscriptions']],
          width: 4,
        }),
        stat({
          title: 'Still to send away',
          description:
            'Sessions that this edge has still to send away; 0 unless it leaves. It should reach 0 within the drain window.',
          unit: 'short',
          queries: [[`hubbub_edge_drain_remaining{${EDGE}}`, 'remaining']],
          warnAt: 1,
          width: 4,
        }),
        stat({
          title: 'Engine and workers',
          description: 'The build of uWebSockets.js that was loaded, and with --workers how many processes there are.',
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
          description: 'What clients sent, and what became of it: ok, or the error they got.',
          unit: 'ops',
          queries: [
            [`sum by (type, result) (${rate('hubbub_edge_frames_total')})`, '{{type}} {{result}}'],
            [rate('hubbub_edge_unanswered_questions_total'), 'online_users without an answer of presence'],
          ],
        }),
        graph({
          title: 'Messages and deliveries',
          description:
            'Messages from the bus with an audience here, and what was handed to sockets. Malformed ones are dropped.',
          unit: 'ops',
          queries: [
            [rate('hubbub_edge_envelopes_total'), 'messages'],
            [rate('hubbub_edge_deliveries_total'), 'deliveries'],
            [rate('hubbub_edge_malformed_envelopes_total'), 'malformed'],
          ],
        }),
        graph({
          title: 'Bytes from and to clients',
          description: 'Bodies, without the framing of WebSocket and TLS.',
          unit: 'Bps',
          queries: [
            [rate('hubbub_edge_received_bytes_total'), 'received'],
            [rate('hubbub_edge_delivered_bytes_total'), 'delivered'],
          ],
        }),
        graph({
          title: 'Delivery lag',
          description: 'From publishing a message to handing it to the sockets here.',
          unit: 's',
          queries: quantiles('hubbub_edge_delivery_lag_seconds'),
          warnAt: 0.25,
          alarmAt: 1,
        }),
        graph({
          title: 'Slow readers and conflation',
          description:
            'Sessions cut off because too much waited for them; those that get only the newest per key; messages that gave way.',
          unit: 'short',
          queries: [
            [increase('hubbub_edge_slow_readers_total'), 'cut off'],
            [increase('hubbub_edge_conflations_total'), 'began to conflate'],
            [`hubbub_edge_conflating_sessions{${EDGE}}`, 'conflating'],
            [increase('hubbub_edge_conflated_messages_total'), 'messages that gave way'],
          ],
        }),
        graph({
          title: 'Sessions that ended, by close code',
          description: 'PROTOCOL.md section 4 has the codes.',
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
          description: 'Positions that sessions named, by what became of them; and rooms that were told of a gap.',
          unit: 'short',
          queries: [
            [`sum by (result) (${increase('hubbub_edge_recoveries_total')})`, 'recovery: {{result}}'],
            [`sum by (reason) (${increase('hubbub_edge_room_gaps_total')})`, 'gap: {{reason}}'],
          ],
        }),
        graph({
          title: 'Histories',
          description:
            'Reads by purpose; rooms that were or may have been behind; messages that a read had delivered already.',
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
            'Delay of the event loop (p99) in seconds, and processor time in seconds a second: 1 is a whole core, which is all it has.',
          unit: 's',
          queries: [
            [`nodejs_eventloop_lag_p99_seconds{${EDGE}}`, 'delay p99'],
            [rate('process_cpu_seconds_total'), 'processor'],
          ],
          warnAt: 0.7,
          alarmAt: 0.9,
        }),
        graph({
          title: 'Memory',
          description:
            'Resident, and of it the heap and what is kept for replays. Sockets and their buffers are outside of the heap.',
          unit: 'bytes',
          queries: [
            [`process_resident_memory_bytes{${EDGE}}`, 'resident'],
            [`nodejs_heap_size_used_bytes{${EDGE}}`, 'heap'],
            [`hubbub_edge_replay_bytes{${EDGE}}`, 'replays'],
          ],
        }),
      ],
    },
  ],
});
