/** A load run (`npm run k6 -- <scenario> --prometheus URL`), as k6 writes it to Prometheus. */
import { board } from './board.js';
import { graph, type Query, stat } from './panels.js';

const RUN = 'scenario=~"$scenario"';
const rate = (metric: string): string => `sum(rate(k6_${metric}_total{${RUN}}[$__rate_interval]))`;
/** k6 reports a counter only after its first increment: no series means 0. */
const total = (metric: string): string => `sum(k6_${metric}_total{${RUN}}) or vector(0)`;
/** Percentiles of several processes cannot be added: the panel shows the worst. */
const trend = (metric: string): Query[] =>
  ['p50', 'p95', 'p99', 'max'].map(statistic => [`max(k6_${metric}_${statistic}{${RUN}})`, statistic]);

export const k6 = board({
  name: 'k6',
  title: 'Hubbub / k6 run',
  description:
    'A load run as its members see it. Prometheus needs --web.enable-remote-write-receiver. k6/README.md documents the scenarios.',
  variables: [
    { name: 'scenario', label: 'Scenario', metric: 'k6_hubbub_messages_sent_total', values: 'scenario', several: true },
  ],
  rows: [
    {
      title: 'Verdict',
      panels: [
        stat({
          title: 'Lost',
          description: 'Messages that a member should have received and did not.',
          unit: 'short',
          queries: [[total('hubbub_messages_lost'), 'lost']],
          alarmAt: 1,
        }),
        stat({
          title: 'Repeated or out of order',
          description: 'Messages received twice, or after a later message of the same sender.',
          unit: 'short',
          queries: [
            [total('hubbub_messages_repeated'), 'repeated'],
            [total('hubbub_messages_disordered'), 'out of order'],
          ],
          alarmAt: 1,
        }),
        stat({
          title: 'Gaps and errors',
          description: 'room_gap frames, error answers, and faults of the scenario itself.',
          unit: 'short',
          queries: [
            [total('hubbub_room_gaps'), 'gaps'],
            [total('hubbub_errors'), 'errors'],
            [total('hubbub_scenario_crashes'), 'scenario faults'],
          ],
          alarmAt: 1,
        }),
        stat({
          title: 'Failed or cut connections',
          description:
            'failed: refused, or no welcome in time. cut: the client did not close it. unseen: welcomes that did not reach the script.',
          unit: 'short',
          queries: [
            [total('hubbub_connections_failed'), 'failed'],
            [total('hubbub_connections_cut'), 'cut'],
            [total('hubbub_welcomes_unseen'), 'welcomes unseen'],
          ],
          alarmAt: 1,
        }),
      ],
    },
    {
      title: 'Load',
      panels: [
        graph({
          title: 'Virtual users and connections opened',
          description: 'A virtual user holds many connections.',
          unit: 'short',
          queries: [
            ['sum(k6_vus)', 'virtual users'],
            [total('hubbub_connections_opened'), 'connections opened'],
          ],
        }),
        graph({
          title: 'Messages sent and received',
          description: 'received is sent times the members of the room.',
          unit: 'ops',
          queries: [
            [rate('hubbub_messages_sent'), 'sent'],
            [rate('hubbub_messages_received'), 'received'],
          ],
        }),
        graph({
          title: 'Reconnects',
          description:
            'Lost sessions that reconnected, and the share of them that missed nothing. Both are 0 if no session is lost.',
          unit: 'short',
          queries: [
            [total('hubbub_returns'), 'back'],
            [`min(k6_hubbub_recovered_rate{${RUN}}) or vector(0)`, 'share that recovered'],
          ],
        }),
      ],
    },
    {
      title: 'Durations',
      panels: [
        graph({
          title: 'Delivery',
          description: 'Time from before the sender writes until a member has read the message.',
          unit: 's',
          queries: trend('hubbub_delivery_duration'),
          warnAt: 0.25,
          alarmAt: 1,
        }),
        graph({
          title: 'Ack',
          description: 'Time from before the sender writes until it has read the ack.',
          unit: 's',
          queries: trend('hubbub_ack_duration'),
          warnAt: 0.25,
          alarmAt: 1,
        }),
        graph({
          title: 'Connect',
          description: 'Time from opening the connection until the welcome.',
          unit: 's',
          queries: trend('hubbub_connect_duration'),
          warnAt: 1,
          alarmAt: 10,
        }),
        graph({
          title: 'Recovery',
          description:
            'Time from the loss of a connection until all missed messages have arrived; 0 if no connection is cut.',
          unit: 's',
          queries: trend('hubbub_return_duration').map(([expression, legend]) => [
            `${expression} or vector(0)`,
            legend,
          ]),
          warnAt: 1,
          alarmAt: 10,
        }),
      ].map(panel => panel.span(6)),
    },
  ],
});
