/** The authorizer: the user's own HTTP service that decides about connects, joins and publishes. */
import { z } from 'zod';
import { flag, hasCredentials, integer, isHeaderText, MINUTE_MS, oneOf, SECRET, url } from './fields.js';

const KEY_EXPECTED = 'expected a key of visible ASCII characters, such as 5f1c9a0e7b3d2468';

export const authorizerSettings = {
  authorizerUrl: url('http://127.0.0.1:4000/authorize')
    .refine(value => !URL.canParse(value) || !hasCredentials(value), {
      error:
        'expected a URL like https://auth.example.com, without a name and a password: HUBBUB_AUTHORIZER_KEY is sent instead',
    })
    .optional()
    .describe(
      'The edge sends a POST to this URL at each connect (authorizeConnections) and in namespaces that set `authorize`.',
    ),
  authorizerKey: z
    .string({ error: KEY_EXPECTED })
    .refine(isHeaderText, { error: KEY_EXPECTED })
    .optional()
    .meta(SECRET)
    .describe('Key that the edge sends to the authorizer as `Authorization: Bearer`.'),
  authorizeConnections: flag().default(false).describe('Makes the edge ask the authorizer before each upgrade.'),
  authorizerTimeoutMs: integer(10, MINUTE_MS)
    .default(2000)
    .describe('Time in which the authorizer must answer; later the question counts as failed.'),
  authorizerOnFailure: oneOf(['refuse', 'allow'])
    .default('refuse')
    .describe('Outcome when the authorizer fails: refuse with UNAVAILABLE, or allow what the token allows.'),
  authorizerCacheMs: integer(0, 60 * MINUTE_MS)
    .default(10_000)
    .describe('Lifetime of a cached answer, unless the answer sets its own. 0: the edge caches no answer.'),
  authorizerCacheSize: integer(1, 1_000_000).default(10_000).describe('Maximum number of cached answers.'),
  authorizerMaxPending: integer(1, 100_000)
    .default(1000)
    .describe(
      'Maximum number of pending questions on this edge. It refuses further questions, whatever authorizerOnFailure is.',
    ),
  authorizerMaxPendingPerUser: integer(1, 100_000)
    .default(100)
    .describe(
      'Maximum pending questions per user (without a token: per address). One user never holds more than stay free.',
    ),
  authorizerBreakerFailures: integer(1, 1000)
    .default(5)
    .describe('Number of consecutive failures that open the circuit breaker.'),
  authorizerBreakerOpenMs: integer(100, 10 * MINUTE_MS)
    .default(5000)
    .describe('Time that the circuit breaker stays open; then one question tests the authorizer.'),
};
