/** Signatures of webhooks, as Standard Webhooks has them (https://www.standardwebhooks.com): made by Hubbub, verified by receivers. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { HubbubError } from '@hubbub/protocol';
import { wrong } from './checks.js';

const SCHEME = 'v1';
/** The specification leaves it to the receiver; its libraries use this one. */
const TOLERANCE_MS = 300_000;

/** The three headers of a request. */
export interface WebhookHeaders {
  /** The same for the same events, in every attempt. */
  readonly 'webhook-id': string;
  /** Of the attempt, seconds since 1970. */
  readonly 'webhook-timestamp': string;
  /** One signature for each secret, separated by spaces. */
  readonly 'webhook-signature': string;
}

/** Signs a request. @param secrets `whsec_` and 24 to 64 bytes in base64 */
export function signWebhook(id: string, body: string, secrets: readonly string[], atMs: number): WebhookHeaders {
  const timestamp = String(Math.floor(atMs / 1000));
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': secrets.map(secret => `${SCHEME},${signature(id, timestamp, body, secret)}`).join(' '),
  };
}

export interface WebhookRequest {
  /** Headers by lowercase name, as Node's `request.headers` has them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Exactly as it was received: JSON that was parsed and written again has another signature. */
  readonly body: string | Uint8Array;
}

export interface VerifyWebhookOptions {
  /** Accepted secrets: several during a rotation. */
  readonly secrets: readonly string[];
  /** How far the clocks may differ, and how old a request may be. Default 300,000 ms. */
  readonly toleranceMs?: number;
}

/**
 * Verifies the signature and the age of a request of Hubbub's webhooks, and returns its parsed body.
 * @throws {HubbubError} `UNAUTHORIZED` if the request is not from a holder of a secret, or is too old; `INVALID_FORMAT` for
 * options that cannot be.
 * @example
 * const { events } = verifyWebhook({ headers: request.headers, body }, { secrets: [process.env.WEBHOOK_SECRET] });
 */
export function verifyWebhook(request: WebhookRequest, options: VerifyWebhookOptions): WebhookDelivery {
  const { secrets, toleranceMs = TOLERANCE_MS } = options;
  if (!Array.isArray(secrets) || secrets.length === 0) throw wrong('secrets', 'expected at least one secret');
  const [id, timestamp, signatures] = ['id', 'timestamp', 'signature'].map(name => request.headers[`webhook-${name}`]);
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signatures !== 'string') {
    throw unauthorized('The request lacks webhook-id, webhook-timestamp or webhook-signature.');
  }
  const ageMs = Math.abs(Date.now() - Number(timestamp) * 1000);
  if (!/^\d{1,15}$/.test(timestamp) || ageMs > toleranceMs) {
    throw unauthorized('webhook-timestamp is too old, in the future, or not a number of seconds.');
  }
  const body = typeof request.body === 'string' ? request.body : Buffer.from(request.body).toString('utf8');
  const valid = secrets.map(secret => Buffer.from(`${SCHEME},${signature(id, timestamp, body, secret)}`));
  const isSigned = signatures.split(' ').some(given => {
    const bytes = Buffer.from(given);
    return valid.some(expected => expected.length === bytes.length && timingSafeEqual(expected, bytes));
  });
  if (!isSigned) throw unauthorized('webhook-signature is not of these secrets, or the body was changed.');
  return JSON.parse(body) as WebhookDelivery;
}

/** The body of a request. */
export interface WebhookDelivery {
  /** The name of the webhook in the configuration. */
  readonly webhook: string;
  /** At least one; those of a room are in order. */
  readonly events: readonly WebhookEvent[];
}

/** One event of a request. docs/webhooks.md describes the fields. */
export interface WebhookEvent {
  /** Unique; the same in each repetition. */
  readonly id: string;
  readonly kind: 'client_event' | 'lifecycle';
  readonly type: string;
  readonly room?: string;
  /** RFC 3339. */
  readonly timestamp: string;
  readonly [field: string]: unknown;
}

function signature(id: string, timestamp: string, body: string, secret: string): string {
  if (!/^whsec_/.test(secret)) throw wrong('secrets', 'expected whsec_ and 24 to 64 bytes in base64');
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  return createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
}

function unauthorized(message: string): HubbubError {
  return new HubbubError('UNAUTHORIZED', message);
}
