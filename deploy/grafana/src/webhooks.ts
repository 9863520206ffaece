/** Webhooks: requests to receivers, and the events that they carry. */
import { board } from './board.js';
import { graph } from './panels.js';

const ONES = 'instance=~"$instance"';
const rate = (metric: string): string => `rate(${metric}{${ONES}}[$__rate_interval])`;

export const webhooks = board({
  name: 'webhooks',
  title: 'Hubbub / Webhooks',
  description: 'Client events and lifecycle events on their way to HTTP receivers.',
  variables: [
    { name: 'instance', label: 'Instances', metric: 'hubbub_webhooks_leading', values: 'instance', several: true },
  ],
  rows: [
    {
      title: 'Requests and events',
      panels: [
        graph({
          title: 'Requests by result',
          description:
            'delivered: status 2xx. rejected: 400, 413 or 422. failed: another status. canceled: another process may have the lease.',
          unit: 'ops',
          queries: [
            [`sum by (webhook, result) (${rate('hubbub_webhooks_requests_total')})`, '{{webhook}}: {{result}}'],
            [`sum by (webhook, limit) (${rate('hubbub_webhooks_limited_total')})`, '{{webhook}}: limit {{limit}}'],
          ],
          width: 12,
        }),
        graph({
          title: 'Events of webhooks by result',
          description:
            'dead_lettered: given up, after the last attempt or a final answer. debounced: undone within a moment.',
          unit: 'ops',
          queries: [[`sum by (webhook, result) (${rate('hubbub_webhooks_events_total')})`, '{{webhook}}: {{result}}']],
          width: 12,
        }),
        graph({
          title: 'Duration, p99',
          description: 'Time from the begin of a request to its answer or failure.',
          unit: 's',
          queries: [
            [
              `histogram_quantile(0.99, sum by (le, webhook) (${rate('hubbub_webhooks_request_duration_seconds_bucket')}))`,
              '{{webhook}}',
            ],
          ],
          width: 12,
        }),
        graph({
          title: 'Events per request, and streams',
          description: 'The median number of events in a request, and the streams that some process reads.',
          unit: 'short',
          queries: [
            [
              `histogram_quantile(0.5, sum by (le, webhook) (${rate('hubbub_webhooks_request_events_bucket')}))`,
              '{{webhook}}: events per request',
            ],
            [`sum by (webhook) (hubbub_webhooks_leading{${ONES}})`, '{{webhook}}: streams'],
          ],
          width: 12,
        }),
      ],
    },
  ],
});
