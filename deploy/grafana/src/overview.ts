/** The whole cluster on a page: is it well, how much goes through it, how late, what is lost. */
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
  description: 'The cluster as a whole. Begin here; the other dashboards are linked above.',
  variables: [{ name: 'instance', label: 'Edges', metric: 'hubbub_edge_sessions', values: 'instance', several: true }],
  rows: [
    {
      title: 'Is it well?',
      panels: [
        stat({
          title: 'Edges that are ready',
          description:
            'Share of the edges whose /readyz is green: they hear what is published. Edges that leave are not.',
          unit: 'percentunit',
          queries: [[`avg(hubbub_edge_ready{${EDGES}})`, 'ready']],
          alarmBelow: 1,
        }),
        stat({
          title: 'Sessions',
          description: 'Connections of clients, on all chosen edges.',
          unit: 'short',
          queries: [[`sum(hubbub_edge_sessions{${EDGES}})`, 'sessions']],
        }),
        stat({
          title: 'Users online',
          description: 'As presence counts them: a user with three sessions is one.',
          unit: 'short',
          queries: [['sum(hubbub_presence_users_online)', 'users']],
        }),
        stat({
          title: 'Delivery lag, p99',
          description: 'From publishing a message to handing it to the sockets: 99 of 100 are faster.',
          unit: 's',
          queries: [[lagQuantile(0.99), 'p99']],
          warnAt: 0.25,
          alarmAt: 1,
        }),
      ],
    },
    {
      title: 'What goes through',
      panels: [
        graph({
          title: 'Sessions by edge',
          description:
            'An edge that leaves sends its sessions to the others; one that came back fills as clients come and go.',
          unit: 'short',
          queries: [[`hubbub_edge_sessions{${EDGES}}`, '{{instance}}']],
          stacked: true,
        }),
        graph({
          title: 'Handshakes by result',
          description: 'accepted, or why not. The dashboard "Admission" has more.',
          unit: 'ops',
          queries: [[`sum by (result) (rate(hubbub_edge_handshakes_total{${EDGES}}[$__rate_interval]))`, '{{result}}']],
        }),
        graph({
          title: 'Frames from clients by type',
          description: 'Client events, which only services know, are one type.',
          unit: 'ops',
          queries: [[`sum by (type) (rate(hubbub_edge_frames_total{${EDGES}}[$__rate_interval]))`, '{{type}}']],
          stacked: true,
        }),
        graph({
          title: 'Refused frames',
          description: 'Frames that were answered with an error, as a share of all. Clients with a defect, or abuse.',
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
            'Messages from the bus with an audience, each edge counted, and what was handed to sockets: one for each recipient.',
          unit: 'ops',
          queries: [
            [`sum(rate(hubbub_edge_envelopes_total{${EDGES}}[$__rate_interval]))`, 'messages'],
            [`sum(rate(hubbub_edge_deliveries_total{${EDGES}}[$__rate_interval]))`, 'deliveries'],
          ],
        }),
        graph({
          title: 'Bytes from and to clients',
          description: 'Bodies, without the framing of WebSocket and TLS.',
          unit: 'Bps',
          queries: [
            [`sum(rate(hubbub_edge_received_bytes_total{${EDGES}}[$__rate_interval]))`, 'received'],
            [`sum(rate(hubbub_edge_delivered_bytes_total{${EDGES}}[$__rate_interval]))`, 'delivered'],
          ],
        }),
      ],
    },
    {
      title: 'How late, and what is lost',
      panels: [
        graph({
          title: 'Delivery lag',
          description:
            'From publishing a message to handing it to the sockets. The clocks of publisher and edge must agree.',
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
            'Through Redis and back, by edge. One edge high: that edge is busy. All high: Redis, or the network to it.',
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
          title: 'Gaps told to rooms',
          description:
            'Times that a room was told that messages are missing, by reason. no_history after a break: the namespace keeps none.',
          unit: 'short',
          queries: [
            [`sum by (reason) (increase(hubbub_edge_room_gaps_total{${EDGES}}[$__rate_interval]))`, '{{reason}}'],
          ],
          warnAt: 1,
          width: 6,
        }),
        graph({
          title: 'Sessions that ended, by close code',
          description:
            '1012: told to reconnect by an edge that leaves. 1006: the connection broke, a slow reader among them. 4xxx: PROTOCOL.md section 4.',
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
          description: 'A process that is late by this is late for everybody it serves.',
          unit: 's',
          queries: [[`nodejs_eventloop_lag_p99_seconds{${PROCESSES}}`, '{{job}} {{instance}}']],
          warnAt: 0.1,
          alarmAt: 0.25,
          width: 12,
        }),
        graph({
          title: 'Processor',
          description: 'Share of one core; an edge has only one.',
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
