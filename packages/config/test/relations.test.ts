/** Relations between two settings: each one of the table is checked, at its bound and just beyond it. */
import { describe, expect, test } from 'vitest';
import { ConfigError, loadConfig, RELATIONS } from '../src/index.js';
import { withFile } from './support/settings.js';

const withHistory = (historyTtlMs: number): NodeJS.ProcessEnv =>
  withFile(`namespaces: { chat: { historySize: 1, historyTtlMs: ${historyTtlMs} } }`);

/** By the relation: settings that just do not keep it, and settings that just do. */
const CASES: Readonly<Record<string, readonly [broken: NodeJS.ProcessEnv, kept: NodeJS.ProcessEnv]>> = {
  'probeTimeoutMs at least probeIntervalMs': [{ HUBBUB_PROBE_TIMEOUT_MS: '999' }, { HUBBUB_PROBE_TIMEOUT_MS: '1000' }],
  'shutdownTimeoutMs more than drainDelayMs + drainWindowMs': [
    { HUBBUB_DRAIN_DELAY_MS: '15000' },
    { HUBBUB_DRAIN_DELAY_MS: '14999' },
  ],
  'maxBufferedBytes at least 2 × conflateAboveBytes': [
    { HUBBUB_CONFLATE_ABOVE_BYTES: '524289' },
    { HUBBUB_CONFLATE_ABOVE_BYTES: '524288' },
  ],
  'maxBufferedBytes at least 2 × maxFrameBytes': [
    { HUBBUB_MAX_FRAME_BYTES: '524289', HUBBUB_HISTORY_PAGE_SIZE: '1' },
    { HUBBUB_MAX_FRAME_BYTES: '524288', HUBBUB_HISTORY_PAGE_SIZE: '1' },
  ],
  'maxBufferedBytes at least apiMaxBodyBytes': [
    { HUBBUB_API_MAX_BODY_BYTES: '1048577' },
    { HUBBUB_API_MAX_BODY_BYTES: '1048576' },
  ],
  'maxBufferedBytes at least historyPageSize × maxFrameBytes': [
    { HUBBUB_HISTORY_PAGE_SIZE: '257' },
    { HUBBUB_HISTORY_PAGE_SIZE: '256' },
  ],
  'idleTimeoutMs more than pingIntervalMs': [
    { HUBBUB_PING_INTERVAL_MS: '60000' },
    { HUBBUB_PING_INTERVAL_MS: '59999' },
  ],
  'backoffCapMs at least backoffBaseMs': [{ HUBBUB_BACKOFF_CAP_MS: '999' }, { HUBBUB_BACKOFF_CAP_MS: '1000' }],
  'jwtJwksMaxAgeMs more than jwtJwksRefreshMs': [
    { HUBBUB_JWT_JWKS_MAX_AGE_MS: '600000' },
    { HUBBUB_JWT_JWKS_MAX_AGE_MS: '600001' },
  ],
  'handshakeTimeoutMs more than 2 × authorizerTimeoutMs': [
    { HUBBUB_AUTHORIZER_URL: 'http://127.0.0.1:1/', HUBBUB_AUTHORIZER_TIMEOUT_MS: '5000' },
    { HUBBUB_AUTHORIZER_URL: 'http://127.0.0.1:1/', HUBBUB_AUTHORIZER_TIMEOUT_MS: '4999' },
  ],
  'redisCommandTimeoutMs more than overloadSubscriptionMs': [
    { HUBBUB_REDIS_URL: 'redis://h', HUBBUB_OVERLOAD_SUBSCRIPTION_MS: '5000' },
    { HUBBUB_REDIS_URL: 'redis://h', HUBBUB_OVERLOAD_SUBSCRIPTION_MS: '4999' },
  ],
  'nodeLeaseMs more than redisCommandTimeoutMs': [
    { HUBBUB_REDIS_URL: 'redis://h', HUBBUB_NODE_LEASE_MS: '5000' },
    { HUBBUB_REDIS_URL: 'redis://h', HUBBUB_NODE_LEASE_MS: '5001' },
  ],
  'maxUserFramesPerSecond at least maxFramesPerSecond': [
    { HUBBUB_MAX_USER_FRAMES_PER_SECOND: '99' },
    { HUBBUB_MAX_USER_FRAMES_PER_SECOND: '0' },
  ],
  'maxAddressFramesPerSecond at least maxUserFramesPerSecond': [
    { HUBBUB_MAX_ADDRESS_FRAMES_PER_SECOND: '499' },
    { HUBBUB_MAX_ADDRESS_FRAMES_PER_SECOND: '500' },
  ],
  'namespaces.historyTtlMs at least 2 × historyCheckIntervalMs': [withHistory(9999), withHistory(10_000)],
};

/** The development secret is warned of elsewhere. */
const SECRET = { HUBBUB_JWT_SECRET: 'mine' };

function verdictOf(environment: NodeJS.ProcessEnv): { severity: string; messages: readonly string[] } {
  try {
    const warnings = loadConfig({ ...SECRET, ...environment }).warnings;
    return { severity: 'warning', messages: warnings.map(({ message }) => message) };
  } catch (error) {
    if (error instanceof ConfigError) return { severity: 'problem', messages: error.problems };
    throw error;
  }
}

describe.each(
  RELATIONS.map(relation => [`${relation.setting} ${relation.bound} ${relation.other}`, relation] as const),
)('%s', (name, { severity, because, bound }) => {
  const [broken, kept] = CASES[name] ?? [];

  test('is refused, or reported, where it does not hold', () => {
    expect(broken, 'the table above lacks this relation').toBeDefined();
    const verdict = verdictOf(broken ?? {});
    expect(verdict).toEqual({ severity, messages: [expect.stringContaining(because)] });
    expect(verdict.messages[0]).toMatch(
      new RegExp(
        `^(HUBBUB_\\w+|namespaces\\.chat\\.\\w+): expected ${bound} .*HUBBUB_\\w+.*\\(\\d+\\), and not \\d+: `,
      ),
    );
  });

  test('is accepted at its bound', () => {
    expect(verdictOf(kept ?? {}).messages).toEqual([]);
  });
});

test('a namespace without history has none that could be forgotten', () => {
  expect(verdictOf(withFile('namespaces: { chat: { historyTtlMs: 1000 } }')).messages).toEqual([]);
});
