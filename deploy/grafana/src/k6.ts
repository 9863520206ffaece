/** A load run (`npm run k6 -- <scenario> --prometheus URL`), as k6 writes it to Prometheus. */
import { board } from './board.js';
import { graph, type Query, stat } from './panels.js';

const RUN = 'scenario=~"$scenario"';
const rate = (metric: string): string => `sum(rate(k6_${metric}_total{${RUN}}[$__rate_interval]))`;
/** k6 tells of a counter only when it counted: nothing is none. */
const total = (metric: string): string => `sum(k6_${metric}_total{${RUN}}) or vector(0)`;
/** Percentiles of several processes cannot be added: that of the worst is shown. */
const trend = (metric: string): Query[] =>
  ['p50', 'p95', 'p99', 'max'].map(statistic => [`max(k6_${metric}_${statistic}{${RUN}})`, statistic]);

export const k6 = board({
  name: 'k6',
  title: 'Hubbub / k6 run',
  description:
    'What members of a load run see. Prometheus must run with --web.enable-remote-write-receiver; k6/README.md has the scenarios.',
  variables: [
    { name: 'scenario', label: 'Scenario', metric: 'k6_hubbub_messages_sent_total', values: 'scenario', several: true },
  ],
  rows: [
    {
      title: 'Verdict',
      panels: [
        stat({
          title: 'Lost',
          description: 'Messages that a member should have read and did not.',
          unit: 'short',
          queries: [[total('hubbub_messages_lost'), 'lost']],
          alarmAt: 1,
        }),
        stat({
          title: 'Repeated or out of order',
          description: 'Messages read twice, or after a later one of the same talker.',
          unit: 'short',
          queries: [
            [total('hubbub_messages_repeated'), 'repeated'],
            [total('hubbub_messages_disordered'), 'out of order'],
          ],
          alarmAt: 1,
        }),
        stat({
          title: 'Gaps and errors',
          description: 'room_gap frames, answers that were errors, and faults of the scenario itself.',
          unit: 'short',
          queries: [
            [total('hubbub_room_gaps'), 'gaps'],
            [total('hubbub_errors'), 'errors'],
            [total('hubbub_scenario_crashes'), 'scenario faults'],
          ],
          alarmAt: 1,
        }),
        stat({
          title: 'Connections that failed or were cut',
          description:
            'Refused or without a welcome in time; ended by somebody else; and welcomes that did not reach the script.',
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
          description: 'Received is sent times the members of the room.',
          unit: 'ops',
          queries: [
            [rate('hubbub_messages_sent'), 'sent'],
            [rate('hubbub_messages_received'), 'received'],
          ],
        }),
        graph({
          title: 'Coming back',
          description:
            'Sessions that were lost and are back, and the share of them that missed nothing. Nothing is lost where nobody is cut: then it is 0.',
          unit: 'short',
          queries: [
            [total('hubbub_returns'), 'back'],
            [`min(k6_hubbub_recovered_rate{${RUN}}) or vector(0)`, 'share that recovered'],
          ],
        }),
      ],
    },
    {
      title: 'How long it takes',
      panels: [
        graph({
          title: 'Delivery',
          description: 'From before the talker writes until a member has read it.',
          unit: 's',
          queries: trend('hubbub_delivery_duration'),
          warnAt: 0.25,
          alarmAt: 1,
        }),
        graph({
          title: 'Ack',
          description: 'From before the talker writes until it has read the ack.',
          unit: 's',
          queries: trend('hubbub_ack_duration'),
          warnAt: 0.25,
          alarmAt: 1,
        }),
        graph({
          title: 'Connect',
          description: 'From dialling until the welcome.',
          unit: 's',
          queries: trend('hubbub_connect_duration'),
          warnAt: 1,
          alarmAt: 10,
        }),
        graph({
          title: 'Return',
          description:
            'From the loss of a connection until everything that was missed has arrived; 0 where nobody was cut.',
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
