/** The whole cluster: health, traffic, delay, loss. */
import { board } from './board.js';
import { graph, stat } from './panels.js';

const EDGES = 'instance=~"$instance"';
const PROCESSES = 'job=~"hubbub-.+"';
const LAG = 'hubbub_edge_delivery_lag_seconds_bucket';

function lagQuantile(quantile: number): string {
  return `histogram_quantile(${quantile}, sum by (le) (rate(${LAG}{${EDGES}}[$__rate_interval])))`;
}

export const overview = board({
  name: 'overview',
  title: 'Hubbub / Overview',
  description: 'The whole cluster. Start here; the links above lead to the other dashboards.',
  variables: [{ name: 'instance', label: 'Edges', metric: 'hubbub_edge_sessions', values: 'instance', several: true }],
  rows: [
    {
      title: 'Health',
      panels: [
        stat({
          title: 'Ready edges',
          description:
            'Share of edges with a green /readyz: they receive published messages. Draining edges are not ready.',
          unit: 'percentunit',
          queries: [[`avg(hubbub_edge_ready{${EDGES}})`, 'ready']],
          alarmBelow: 1,
        }),
        stat({
          title: 'Sessions',
          description: 'Client connections on all selected edges.',
          unit: 'short',
          queries: [[`sum(hubbub_edge_sessions{${EDGES}})`, 'sessions']],
        }),
        stat({
          title: 'Users online',
          description: 'As presence counts them: a user with three sessions counts once.',
          unit: 'short',
          queries: [['sum(hubbub_presence_users_online)', 'users']],
        }),
        stat({
          title: 'Delivery lag, p99',
          description: 'Time from publishing a message to handing it to the sockets; 99 of 100 messages are faster.',
          unit: 's',
          queries: [[lagQuantile(0.99), 'p99']],
          warnAt: 0.25,
          alarmAt: 1,
        }),
      ],
    },
    {
      title: 'Traffic',
      panels: [
        graph({
          title: 'Sessions by edge',
          description:
            'The sessions of a draining edge reconnect to other edges. A restarted edge fills up as clients connect.',
          unit: 'short',
          queries: [[`hubbub_edge_sessions{${EDGES}}`, '{{instance}}']],
          stacked: true,
        }),
        graph({
          title: 'Handshakes by result',
          description: 'accepted, or the error code. The dashboard "Admission" has details.',
          unit: 'ops',
          queries: [[`sum by (result) (rate(hubbub_edge_handshakes_total{${EDGES}}[$__rate_interval]))`, '{{result}}']],
        }),
        graph({
          title: 'Frames from clients by type',
          description: 'All client events count as one type, because only services know their types.',
          unit: 'ops',
          queries: [[`sum by (type) (rate(hubbub_edge_frames_total{${EDGES}}[$__rate_interval]))`, '{{type}}']],
          stacked: true,
        }),
        graph({
          title: 'Refused frames',
          description: 'Share of frames that edges answered with an error. Causes are client defects or abuse.',
          unit: 'percentunit',
          queries: [
            [
              `1 - sum(rate(hubbub_edge_frames_total{${EDGES}, result="ok"}[$__rate_interval])) / sum(rate(hubbub_edge_frames_total{${EDGES}}[$__rate_interval]))`,
              'refused',
            ],
          ],
          warnAt: 0.05,
          alarmAt: 0.2,
        }),
        graph({
          title: 'Messages and deliveries',
          description:
            'Messages from the broker, counted per edge with an audience, and messages handed to sockets, counted per recipient.',
          unit: 'ops',
          queries: [
            [`sum(rate(hubbub_edge_envelopes_total{${EDGES}}[$__rate_interval]))`, 'messages'],
            [`sum(rate(hubbub_edge_deliveries_total{${EDGES}}[$__rate_interval]))`, 'deliveries'],
          ],
        }),
        graph({
          title: 'Bytes from and to clients',
          description: 'Message bodies, without WebSocket and TLS framing.',
          unit: 'Bps',
          queries: [
            [`sum(rate(hubbub_edge_received_bytes_total{${EDGES}}[$__rate_interval]))`, 'received'],
            [`sum(rate(hubbub_edge_delivered_bytes_total{${EDGES}}[$__rate_interval]))`, 'delivered'],
          ],
        }),
      ],
    },
    {
      title: 'Delay and loss',
      panels: [
        graph({
          title: 'Delivery lag',
          description:
            'Time from publishing a message to handing it to the sockets. The clocks of publisher and edge must agree.',
          unit: 's',
          queries: [
            [lagQuantile(0.5), 'p50'],
            [lagQuantile(0.95), 'p95'],
            [lagQuantile(0.99), 'p99'],
          ],
          warnAt: 0.25,
          alarmAt: 1,
          width: 6,
        }),
        graph({
          title: 'Self-probe round trip, p99',
          description:
            'Through Redis and back, by edge. If one edge is high, that edge is busy. If all are high, Redis or its network is slow.',
          unit: 's',
          queries: [
            [
              `histogram_quantile(0.99, sum by (le, instance) (rate(hubbub_edge_probe_round_trip_seconds_bucket{${EDGES}}[$__rate_interval])))`,
              '{{instance}}',
            ],
          ],
          warnAt: 0.25,
          alarmAt: 1,
          width: 6,
        }),
        graph({
          title: 'Gaps reported to rooms',
          description:
            'Gaps that edges reported to rooms, by reason. no_history after a break: the namespace keeps no history.',
          unit: 'short',
          queries: [
            [`sum by (reason) (increase(hubbub_edge_room_gaps_total{${EDGES}}[$__rate_interval]))`, '{{reason}}'],
          ],
          warnAt: 1,
          width: 6,
        }),
        graph({
          title: 'Ended sessions by close code',
          description:
            '1012: a draining edge closed the session. 1006: the connection broke, slow readers included. 4xxx: PROTOCOL.md section 4.',
          unit: 'ops',
          queries: [[`sum by (code) (rate(hubbub_edge_closes_total{${EDGES}}[$__rate_interval]))`, '{{code}}']],
          width: 6,
        }),
      ],
    },
    {
      title: 'Processes',
      panels: [
        graph({
          title: 'Event-loop delay, p99',
          description: 'This delay affects every client of the process.',
          unit: 's',
          queries: [
            [
              `histogram_quantile(0.99, sum by (le, job, instance) (rate(hubbub_event_loop_delay_seconds_bucket{${PROCESSES}}[$__rate_interval])))`,
              '{{job}} {{instance}}',
            ],
          ],
          warnAt: 0.1,
          alarmAt: 0.25,
          width: 12,
        }),
        graph({
          title: 'Processor',
          description: 'Share of one core; an edge uses only one.',
          unit: 'percentunit',
          queries: [[`rate(process_cpu_seconds_total{${PROCESSES}}[$__rate_interval])`, '{{job}} {{instance}}']],
          warnAt: 0.7,
          alarmAt: 0.9,
          width: 12,
        }),
      ],
    },
  ],
});
