/** Who comes in and who does not: handshakes, limits, the authorizer, the key set. */
import { board } from './board.js';
import { graph } from './panels.js';

const EDGES = 'instance=~"$instance"';
const rate = (metric: string): string => `rate(${metric}{${EDGES}}[$__rate_interval])`;

export const admission = board({
  name: 'admission',
  title: 'Hubbub / Admission and limits',
  description:
    'Who comes in, who is refused and why. The authorizer and the key set show only where they are configured.',
  variables: [{ name: 'instance', label: 'Edges', metric: 'hubbub_edge_sessions', values: 'instance', several: true }],
  rows: [
    {
      title: 'Handshakes',
      panels: [
        graph({
          title: 'Handshakes by result',
          description:
            'accepted, or the code of the refusal: UNAUTHORIZED is a token, ORIGIN_NOT_ALLOWED a page, RATE_LIMITED and UNAVAILABLE are ours.',
          unit: 'ops',
          queries: [[`sum by (result) (${rate('hubbub_edge_handshakes_total')})`, '{{result}}']],
        }),
        graph({
          title: 'Share of refused handshakes',
          description: 'By edge. After a change of keys or of the page in front it jumps.',
          unit: 'percentunit',
          queries: [
            [
              `1 - sum by (instance) (rate(hubbub_edge_handshakes_total{${EDGES}, result="accepted"}[$__rate_interval])) / sum by (instance) (${rate('hubbub_edge_handshakes_total')})`,
              '{{instance}}',
            ],
          ],
          warnAt: 0.05,
          alarmAt: 0.2,
        }),
        graph({
          title: 'Before they are sessions',
          description:
            'Addresses with a connection, connections that sent no whole request yet, buckets of limits. One address for thousands: HUBBUB_TRUSTED_HOPS is not set.',
          unit: 'short',
          queries: [
            [`sum(hubbub_edge_addresses{${EDGES}})`, 'addresses'],
            [`sum(hubbub_edge_half_open_connections{${EDGES}})`, 'half open'],
            [`sum(hubbub_edge_limit_buckets{${EDGES}})`, 'buckets of limits'],
          ],
        }),
        graph({
          title: 'Limits that were exceeded',
          description: 'By limit; PROTOCOL.md section 5 says what each is, and which setting it has.',
          unit: 'ops',
          queries: [[`sum by (limit) (${rate('hubbub_edge_limits_total')})`, '{{limit}}']],
          width: 16,
        }),
        graph({
          title: 'What frames cost',
          description: 'Calls to Redis that frames of clients cause.',
          unit: 'ops',
          queries: [[`sum(${rate('hubbub_edge_caused_calls_total')})`, 'calls']],
        }),
        graph({
          title: 'Bytes that clients ask for and store',
          description: 'Answers and replays; messages that go into histories.',
          unit: 'Bps',
          queries: [
            [`sum(${rate('hubbub_edge_answered_bytes_total')})`, 'answers'],
            [`sum(${rate('hubbub_edge_stored_bytes_total')})`, 'stored'],
          ],
        }),
        graph({
          title: 'Unheard and unreadable',
          description:
            'Connections that ended before a whole request; requests of proxies whose X-Forwarded-For could not be read.',
          unit: 'ops',
          queries: [
            [`sum(${rate('hubbub_edge_connections_unheard_total')})`, 'ended unheard'],
            [`sum(${rate('hubbub_edge_forwarded_for_malformed_total')})`, 'X-Forwarded-For malformed'],
          ],
        }),
      ],
    },
    {
      title: 'Authorizer (where HUBBUB_AUTHORIZER_URL is set)',
      panels: [
        graph({
          title: 'Questions by result',
          description: 'cached and shared cost no request; failed, breaker_open and too_many found no answer.',
          unit: 'ops',
          queries: [
            [`sum by (action, result) (${rate('hubbub_edge_authorizer_questions_total')})`, '{{action}} {{result}}'],
          ],
        }),
        graph({
          title: 'How long it takes, p99',
          description: 'Requests to the authorizer, failed ones included. Connections wait for it.',
          unit: 's',
          queries: [
            [
              `histogram_quantile(0.99, sum by (le) (${rate('hubbub_edge_authorizer_duration_seconds_bucket')}))`,
              'p99',
            ],
          ],
          warnAt: 0.25,
          alarmAt: 1,
        }),
        graph({
          title: 'Circuit breaker, and requests under way',
          description:
            'open: it failed again and again and is left alone for a while; nobody is let in by it meanwhile.',
          unit: 'short',
          queries: [
            [`max by (state) (hubbub_edge_authorizer_breaker{${EDGES}})`, '{{state}}'],
            [`sum(hubbub_edge_authorizer_pending{${EDGES}})`, 'under way'],
          ],
        }),
      ],
    },
    {
      title: 'Key set (where HUBBUB_JWT_JWKS_URL is set)',
      panels: [
        graph({
          title: 'Age of the key set',
          description:
            'Since it was read the last time. After HUBBUB_JWT_JWKS_MAX_AGE_MS (a day) nobody gets in by it.',
          unit: 's',
          queries: [[`max(hubbub_edge_jwks_age_seconds{${EDGES}})`, 'oldest']],
          warnAt: 1800,
          alarmAt: 43_200,
        }),
        graph({
          title: 'Keys',
          description: 'Keys that tokens are verified with, on the edge that has the fewest.',
          unit: 'short',
          queries: [[`min(hubbub_edge_jwks_keys{${EDGES}})`, 'keys']],
        }),
        graph({
          title: 'Reads by result',
          description: 'Of the key set: ok, or why not.',
          unit: 'ops',
          queries: [[`sum by (result) (${rate('hubbub_edge_jwks_fetches_total')})`, '{{result}}']],
        }),
      ],
    },
  ],
});
