/** An HTTP service of the user's own that is asked whether somebody may connect, join or publish. */
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
    .describe('Asked by POST at connects (authorizeConnections) and in the namespaces that name `authorize`.'),
  authorizerKey: z
    .string({ error: KEY_EXPECTED })
    .refine(isHeaderText, { error: KEY_EXPECTED })
    .optional()
    .meta(SECRET)
    .describe('Sent to the authorizer as Authorization: Bearer.'),
  authorizeConnections: flag().default(false).describe('Whether the authorizer is asked before the upgrade.'),
  authorizerTimeoutMs: integer(10, MINUTE_MS)
    .default(2000)
    .describe('An authorizer that does not answer for so long has failed.'),
  authorizerOnFailure: oneOf(['refuse', 'allow'])
    .default('refuse')
    .describe('What an authorizer that fails means: nobody gets in (UNAVAILABLE), or whom the token lets in.'),
  authorizerCacheMs: integer(0, 60 * MINUTE_MS)
    .default(10_000)
    .describe('How long an answer holds, unless it says otherwise; 0: every question is asked.'),
  authorizerCacheSize: integer(1, 1_000_000).default(10_000).describe('Answers that are remembered.'),
  authorizerMaxPending: integer(1, 100_000)
    .default(1000)
    .describe(
      'Questions that may be pending on this edge; further ones are refused, whatever authorizerOnFailure says.',
    ),
  authorizerMaxPendingPerUser: integer(1, 100_000)
    .default(100)
    .describe(
      'Questions of one user that may be pending on this edge, and of all sessions without a token at one address. One user never holds more places than stay free.',
    ),
  authorizerBreakerFailures: integer(1, 1000)
    .default(5)
    .describe('After so many failures in a row the authorizer is left alone for a while.'),
  authorizerBreakerOpenMs: integer(100, 10 * MINUTE_MS)
    .default(5000)
    .describe('How long that is; then one question tries again.'),
};
