/** Services: the HTTP API, controls, client events and their groups. */
import { board } from './board.js';
import { graph, stat } from './panels.js';

const ONES = 'instance=~"$instance"';
const rate = (metric: string, labels = ''): string => `rate(${metric}{${ONES}${labels}}[$__rate_interval])`;

export const services = board({
  name: 'services',
  title: 'Hubbub / Services and HTTP API',
  description: 'Back ends that publish over HTTP, and services that control rooms and consume client events.',
  variables: [
    {
      name: 'instance',
      label: 'Instances',
      metric: '{job=~"hubbub-(edge|api)"}',
      values: 'instance',
      several: true,
    },
  ],
  rows: [
    {
      title: 'HTTP API',
      panels: [
        stat({
          title: 'Requests',
          description: 'Requests per second, all routes.',
          unit: 'ops',
          queries: [[`sum(${rate('hubbub_api_requests_total')})`, 'requests']],
        }),
        stat({
          title: 'Answered with 5xx',
          description: 'Share of requests that failed on the server. 503: Redis or presence is unavailable.',
          unit: 'percentunit',
          queries: [
            [
              `(sum(${rate('hubbub_api_requests_total', ', status=~"5.."')}) or vector(0)) / sum(${rate('hubbub_api_requests_total')})`,
              '5xx',
            ],
          ],
          warnAt: 0.01,
          alarmAt: 0.05,
        }),
        stat({
          title: 'Duration, p99',
          description: 'Time from the headers of a request to the end of its answer.',
          unit: 's',
          queries: [
            [`histogram_quantile(0.99, sum by (le) (${rate('hubbub_api_request_duration_seconds_bucket')}))`, 'p99'],
          ],
          warnAt: 0.25,
          alarmAt: 1,
        }),
        stat({
          title: 'In flight',
          description: 'Requests without an answer so far.',
          unit: 'short',
          queries: [[`sum(hubbub_api_requests_under_way{${ONES}})`, 'in flight']],
        }),
        graph({
          title: 'Requests by route and status',
          description: 'Route none: no route matched. Status aborted: the caller closed the connection.',
          unit: 'ops',
          queries: [[`sum by (route, status) (${rate('hubbub_api_requests_total')})`, '{{route}} {{status}}']],
        }),
        graph({
          title: 'Publishes and controls by result',
          description: 'repeated: a request with a known idempotency key, which the API did not execute again.',
          unit: 'ops',
          queries: [
            [`sum by (target, result) (${rate('hubbub_api_publishes_total')})`, 'to {{target}}: {{result}}'],
            [`sum by (do, result) (${rate('hubbub_api_controls_total')})`, '{{do}}: {{result}}'],
          ],
        }),
        graph({
          title: 'Refused requests',
          description: 'By exceeded limit. malformed: the data was not HTTP.',
          unit: 'ops',
          queries: [
            [`sum by (limit) (${rate('hubbub_api_limited_total')})`, '{{limit}}'],
            [`sum(${rate('hubbub_api_malformed_requests_total')})`, 'malformed'],
          ],
        }),
      ],
    },
    {
      title: 'Client events',
      panels: [
        graph({
          title: 'Events by result',
          description:
            'appended to the log of the namespace, repeated (same message_id), UNAVAILABLE (Redis is unavailable, or too many events wait), OUTCOME_UNKNOWN (no answer in time).',
          unit: 'ops',
          queries: [[`sum by (result) (${rate('hubbub_edge_client_events_total')})`, '{{result}}']],
        }),
        graph({
          title: 'Events in the logs',
          description: 'By namespace. At maxWaitingEvents, edges refuse further events.',
          unit: 'short',
          queries: [[`max by (namespace) (hubbub_edge_events_in_log{${ONES}})`, '{{namespace}}']],
        }),
        graph({
          title: 'Events that wait for a group',
          description:
            'Events without an acknowledgement. If a group only grows, no service reads for it: the service is down or was removed.',
          unit: 'short',
          queries: [[`max by (namespace, group) (hubbub_edge_events_waiting{${ONES}})`, '{{namespace}} {{group}}']],
          warnAt: 1000,
        }),
      ],
    },
    {
      title: 'Controls on the edges',
      panels: [
        graph({
          title: 'Controls by action',
          description: 'As edges received them: one per affected edge.',
          unit: 'ops',
          queries: [[`sum by (do) (${rate('hubbub_edge_controls_total')})`, '{{do}}']],
          width: 12,
        }),
        graph({
          title: 'Sessions that services added to rooms',
          description: 'known: already a member. gone: the session ended or left meanwhile. Otherwise the error code.',
          unit: 'ops',
          queries: [[`sum by (result) (${rate('hubbub_edge_added_sessions_total')})`, '{{result}}']],
          width: 12,
        }),
      ],
    },
    {
      title: 'Revocations',
      panels: [
        graph({
          title: 'Revocations and blocks',
          description: 'Known to the edge with the most. The cluster keeps at most HUBBUB_MAX_REVOCATIONS.',
          unit: 'short',
          queries: [['max(hubbub_edge_revocations)', 'known']],
          width: 12,
        }),
        graph({
          title: 'Ended and refused by revocations',
          description: 'Sessions that ended, and handshakes, refreshes and room tokens that edges refused.',
          unit: 'ops',
          queries: [[`sum by (part) (${rate('hubbub_edge_revoked_total')})`, '{{part}}']],
          width: 12,
        }),
      ],
    },
    {
      title: 'Accounts of hubbub explain',
      panels: [
        graph({
          title: 'Memory of accounts',
          description:
            'Estimated bytes and entries, bounded by HUBBUB_EXPLAIN_MAX_BYTES and HUBBUB_EXPLAIN_MAX_ENTRIES.',
          unit: 'short',
          queries: [
            ['sum by (kind) (hubbub_edge_account_bytes)', 'bytes of {{kind}}'],
            ['sum by (kind) (hubbub_edge_account_entries)', '{{kind}}'],
          ],
          width: 12,
        }),
        graph({
          title: 'Questions, and entries that made place',
          description:
            'busy: more questions than HUBBUB_EXPLAIN_QUESTIONS_PER_SECOND. Dropped entries cannot be explained later.',
          unit: 'ops',
          queries: [
            [`sum by (result) (${rate('hubbub_edge_account_questions_total')})`, '{{result}}'],
            [`sum by (kind) (${rate('hubbub_edge_account_dropped_total')})`, 'dropped {{kind}}'],
          ],
          width: 12,
        }),
      ],
    },
  ],
});
