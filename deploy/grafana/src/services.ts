/** What services do: the HTTP API, controls, client events and those who wait for them. */
import { board } from './board.js';
import { graph, stat } from './panels.js';

const ONES = 'instance=~"$instance"';
const rate = (metric: string, labels = ''): string => `rate(${metric}{${ONES}${labels}}[$__rate_interval])`;

export const services = board({
  name: 'services',
  title: 'Hubbub / Services and HTTP API',
  description: 'Back ends that publish by HTTP, services that control rooms and consume client events.',
  variables: [
    { name: 'instance', label: 'Instances', metric: '{job=~"hubbub-(edge|api)"}', values: 'instance', several: true },
  ],
  rows: [
    {
      title: 'HTTP API',
      panels: [
        stat({
          title: 'Requests',
          description: 'Requests a second, all routes.',
          unit: 'ops',
          queries: [[`sum(${rate('hubbub_api_requests_total')})`, 'requests']],
        }),
        stat({
          title: 'Answered with 5xx',
          description: 'Share of requests that failed by our fault: 503 is Redis or presence being away.',
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
          description: 'From the headers of a request to the end of its answer.',
          unit: 's',
          queries: [
            [`histogram_quantile(0.99, sum by (le) (${rate('hubbub_api_request_duration_seconds_bucket')}))`, 'p99'],
          ],
          warnAt: 0.25,
          alarmAt: 1,
        }),
        stat({
          title: 'Under way',
          description: 'Requests that are not answered yet.',
          unit: 'short',
          queries: [[`sum(hubbub_api_requests_under_way{${ONES}})`, 'under way']],
        }),
        graph({
          title: 'Requests by route and status',
          description: 'none is the route of what no route answers; aborted the status where the caller hung up.',
          unit: 'ops',
          queries: [[`sum by (route, status) (${rate('hubbub_api_requests_total')})`, '{{route}} {{status}}']],
        }),
        graph({
          title: 'Publishes and controls by result',
          description: 'repeated: known by its idempotency key, and not done again.',
          unit: 'ops',
          queries: [
            [`sum by (target, result) (${rate('hubbub_api_publishes_total')})`, 'to {{target}}: {{result}}'],
            [`sum by (do, result) (${rate('hubbub_api_controls_total')})`, '{{do}}: {{result}}'],
          ],
        }),
        graph({
          title: 'Refused requests',
          description: 'By the limit that was exceeded; malformed is what was no HTTP.',
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
            'appended to the log of their namespace, repeated (known by its id), UNAVAILABLE: Redis is away, or too many wait.',
          unit: 'ops',
          queries: [[`sum by (result) (${rate('hubbub_edge_client_events_total')})`, '{{result}}']],
        }),
        graph({
          title: 'Events in the logs',
          description: 'By namespace; at its maxWaitingEvents further ones are refused.',
          unit: 'short',
          queries: [[`max by (namespace) (hubbub_edge_events_in_log{${ONES}})`, '{{namespace}}']],
        }),
        graph({
          title: 'Events that wait for a group',
          description:
            'Not acknowledged. One that only grows has nobody who reads: its service is away, or was given up.',
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
          title: 'Controls by what they do',
          description: 'As the edges got them: one for each edge that it concerns.',
          unit: 'ops',
          queries: [[`sum by (do) (${rate('hubbub_edge_controls_total')})`, '{{do}}']],
          width: 12,
        }),
        graph({
          title: 'Sessions that services added to rooms',
          description: 'known: it was there; gone: it left meanwhile; else the error.',
          unit: 'ops',
          queries: [[`sum by (result) (${rate('hubbub_edge_added_sessions_total')})`, '{{result}}']],
          width: 12,
        }),
      ],
    },
  ],
});
