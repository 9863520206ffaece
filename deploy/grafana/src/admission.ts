/** Admission: handshakes, limits, the authorizer, the key set. */
import { board } from './board.js';
import { graph } from './panels.js';

const EDGES = 'instance=~"$instance"';
const rate = (metric: string): string => `rate(${metric}{${EDGES}}[$__rate_interval])`;

export const admission = board({
  name: 'admission',
  title: 'Hubbub / Admission and limits',
  description:
    'Admitted and refused connections, with the reasons. The authorizer and the key set have data only if they are configured.',
  variables: [{ name: 'instance', label: 'Edges', metric: 'hubbub_edge_sessions', values: 'instance', several: true }],
  rows: [
    {
      title: 'Handshakes',
      panels: [
        graph({
          title: 'Handshakes by result',
          description:
            'accepted, or the error code. UNAUTHORIZED: the token. ORIGIN_NOT_ALLOWED: the page. RATE_LIMITED and UNAVAILABLE: limits or state of the edge.',
          unit: 'ops',
          queries: [[`sum by (result) (${rate('hubbub_edge_handshakes_total')})`, '{{result}}']],
        }),
        graph({
          title: 'Share of refused handshakes',
          description: 'By edge. It jumps after a wrong change of keys or of the allowed origins.',
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
          title: 'Connections before they are sessions',
          description:
            'Addresses with a connection, connections without a complete request so far, and limit buckets. One address with thousands of connections means that HUBBUB_TRUSTED_HOPS is not set.',
          unit: 'short',
          queries: [
            [`sum(hubbub_edge_addresses{${EDGES}})`, 'addresses'],
            [`sum(hubbub_edge_half_open_connections{${EDGES}})`, 'half open'],
            [`sum(hubbub_edge_limit_buckets{${EDGES}})`, 'buckets of limits'],
          ],
        }),
        graph({
          title: 'Refused because of overload',
          description:
            'Share of the handshakes that each edge refuses, and refusals by the signal that caused them. Sessions keep working.',
          unit: 'percentunit',
          queries: [
            [`hubbub_edge_shed_share{${EDGES}}`, 'share at {{instance}}'],
            [`sum by (reason) (${rate('hubbub_edge_shed_handshakes_total')})`, 'refused per second: {{reason}}'],
          ],
          warnAt: 0.01,
          alarmAt: 0.5,
        }),
        graph({
          title: 'Signals of overload',
          description:
            'Delay or fill as a share of its threshold, of the worst edge. Above 1, edges refuse handshakes; HUBBUB_OVERLOAD_… sets the thresholds.',
          unit: 'percentunit',
          queries: [[`max by (signal) (hubbub_edge_overload_pressure{${EDGES}})`, '{{signal}}']],
          warnAt: 0.5,
          alarmAt: 1,
        }),
        graph({
          title: 'Work that waits at edges',
          description:
            'Joins and leaves that the log of presence has not taken, and publishes that Redis has not answered, with how many may wait.',
          unit: 'short',
          queries: [
            [`sum(hubbub_edge_waiting_reports{${EDGES}})`, 'reports'],
            [`sum(hubbub_edge_publishes_in_flight{${EDGES}})`, 'publishes'],
            [`sum(hubbub_edge_publish_window{${EDGES}})`, 'publishes that may wait'],
          ],
        }),
        graph({
          title: 'Exceeded limits',
          description: 'By limit. PROTOCOL.md section 6 documents each limit and its setting.',
          unit: 'ops',
          queries: [[`sum by (limit) (${rate('hubbub_edge_limits_total')})`, '{{limit}}']],
          width: 16,
        }),
        graph({
          title: 'Redis calls of frames',
          description: 'Calls to Redis that client frames cause.',
          unit: 'ops',
          queries: [[`sum(${rate('hubbub_edge_caused_calls_total')})`, 'calls']],
        }),
        graph({
          title: 'Bytes that clients request and store',
          description: 'Answers and replays, and messages stored in histories.',
          unit: 'Bps',
          queries: [
            [`sum(${rate('hubbub_edge_answered_bytes_total')})`, 'answers'],
            [`sum(${rate('hubbub_edge_stored_bytes_total')})`, 'stored'],
          ],
        }),
        graph({
          title: 'Incomplete and malformed requests',
          description:
            'Connections that ended before a complete request, and proxy requests with a malformed X-Forwarded-For.',
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
          description: 'cached and shared need no request. failed, breaker_open and too_many have no answer.',
          unit: 'ops',
          queries: [
            [`sum by (action, result) (${rate('hubbub_edge_authorizer_questions_total')})`, '{{action}} {{result}}'],
          ],
        }),
        graph({
          title: 'Request duration, p99',
          description: 'Requests to the authorizer, including failed ones. Connections wait for them.',
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
          title: 'Circuit breaker, and requests in flight',
          description:
            'open: the authorizer failed repeatedly, and the edge does not ask it for a while. HUBBUB_AUTHORIZER_ON_FAILURE decides meanwhile.',
          unit: 'short',
          queries: [
            [`max by (state) (hubbub_edge_authorizer_breaker{${EDGES}})`, '{{state}}'],
            [`sum(hubbub_edge_authorizer_pending{${EDGES}})`, 'in flight'],
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
            'Time since the last read. After HUBBUB_JWT_JWKS_MAX_AGE_MS (one day) the edge accepts none of its keys.',
          unit: 's',
          queries: [[`max(hubbub_edge_jwks_age_seconds{${EDGES}})`, 'oldest']],
          warnAt: 1800,
          alarmAt: 43_200,
        }),
        graph({
          title: 'Keys',
          description: 'Keys that verify tokens, on the edge with the fewest keys.',
          unit: 'short',
          queries: [[`min(hubbub_edge_jwks_keys{${EDGES}})`, 'keys']],
        }),
        graph({
          title: 'Reads by result',
          description: 'Reads of the key set: ok, or the reason of the failure.',
          unit: 'ops',
          queries: [[`sum by (result) (${rate('hubbub_edge_jwks_fetches_total')})`, '{{result}}']],
        }),
      ],
    },
  ],
});
