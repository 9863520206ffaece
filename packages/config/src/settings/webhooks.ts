/** Webhooks: signed HTTP requests with client events and lifecycle events (`hubbub webhooks`). */
import { flag, integer, isNetwork, list, MINUTE_MS, SECRET } from './fields.js';

const KEY_MIN_BYTES = 24;
const KEY_MAX_BYTES = 64;

/** The example of the specification, which everybody knows. */
export const WEBHOOK_SECRETS = 'secrets such as whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

/** Standard Webhooks: `whsec_`, then 24 to 64 bytes in base64. */
export function isWebhookSecret(text: string): boolean {
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text)?.[1] ?? '';
  const key = Buffer.from(encoded, 'base64');
  return key.toString('base64') === encoded && key.length >= KEY_MIN_BYTES && key.length <= KEY_MAX_BYTES;
}

export const webhookSettings = {
  webhookSecrets: list(WEBHOOK_SECRETS, isWebhookSecret)
    .default([])
    .meta(SECRET)
    .describe(
      'Secrets that sign the requests of webhooks without `secrets`. Several, for a rotation: each signs every request.',
    ),
  webhookAllowHttp: flag()
    .default(false)
    .describe('Allows http in the URL of a webhook. Without it, http is for this machine only.'),
  webhookAllowedNetworks: list('networks like 10.0.0.0/8 or addresses', isNetwork)
    .default([])
    .describe('Private networks whose addresses webhooks may connect to. Public addresses are always allowed.'),
  webhookMaxBatchEvents: integer(1, 1000).default(100).describe('Maximum events in one request of a webhook.'),
  webhookMaxBatchBytes: integer(1024, 16_777_216)
    .default(262_144)
    .describe('Maximum size of the body of a request with several events; one larger event is sent alone.'),
  webhookLingerMs: integer(0, MINUTE_MS)
    .default(20)
    .describe('Time that a client event waits for others, so that one request carries them.'),
  webhookDebounceMs: integer(0, MINUTE_MS)
    .default(1000)
    .describe(
      'Time that a lifecycle event waits for its opposite, such as room_vacated after room_occupied: both are then left out.',
    ),
  webhookTimeoutMs: integer(100, 10 * MINUTE_MS)
    .default(10_000)
    .describe('Time in which a receiver must answer a request completely.'),
  webhookMaxAttempts: integer(2, 100)
    .default(20)
    .describe('Attempts at an event before it becomes a dead letter; those that ended with the process count.'),
  webhookRetryDelayMs: integer(1, MINUTE_MS)
    .default(1000)
    .describe('Delay before the second attempt. It doubles with each attempt, up to 100 times this value.'),
  webhookMaxRetryAfterMs: integer(0, 60 * MINUTE_MS)
    .default(5 * MINUTE_MS)
    .describe("Maximum delay that a receiver's `Retry-After` causes."),
  webhookConcurrency: integer(1, 1000)
    .default(8)
    .describe('Maximum requests in flight to one receiver, per namespace and for lifecycle events.'),
  webhookMaxResponseBytes: integer(0, 16_777_216)
    .default(65_536)
    .describe(
      'Maximum bytes of an answer that are read; the connection of a longer one is closed. Only the status counts.',
    ),
};
