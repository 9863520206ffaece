/** The broker client on the Redis that the configuration names. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  type AcknowledgedLoss,
  type BrokerClient,
  openRedisBrokerClient,
  type RedisCertificateFiles,
  type RedisTopologyOptions,
  readRedisCertificates,
  type WaitOutcome,
} from '@hubbub/broker';
import { type Config, ConfigError } from '@hubbub/config';
import { HubbubError } from '@hubbub/protocol';
import { countRedisFailures, type Logger, type MetricsRegistry, metricsKit, occasionally } from '@hubbub/runtime';

const FAILURE_LOG_INTERVAL_MS = 5000;
const LOSS_LOG_INTERVAL_MS = 100;
const DURABLE_BUCKETS_SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** @throws {ConfigError} for commands that make no sense without a cluster. */
export function requireRedis(config: Config): string {
  if (config.redisUrl === undefined) {
    throw new ConfigError(['HUBBUB_REDIS_URL: required here; for one process without Redis use: hubbub start']);
  }
  return config.redisUrl;
}

export function redisCertificateFiles(config: Config): RedisCertificateFiles {
  return { caFile: config.redisTlsCaFile, certFile: config.redisTlsCertFile, keyFile: config.redisTlsKeyFile };
}

/** Common to all connections to Redis. @throws {ConfigError} naming the setting of a file that cannot be used */
export function redisConnection(config: Config): Pick<RedisTopologyOptions, 'commandTimeoutMs' | 'certificates'> {
  const settings = {
    caFile: 'HUBBUB_REDIS_TLS_CA_FILE',
    certFile: 'HUBBUB_REDIS_TLS_CERT_FILE',
    keyFile: 'HUBBUB_REDIS_TLS_KEY_FILE',
  };
  try {
    const certificates = readRedisCertificates(redisCertificateFiles(config), file => settings[file]);
    return { commandTimeoutMs: config.redisCommandTimeoutMs, certificates };
  } catch (error) {
    throw error instanceof TypeError ? new ConfigError([error.message]) : error;
  }
}

/** @param metrics counts the failures that the log shows only occasionally. */
export function openConfiguredBrokerClient(
  url: string,
  config: Config,
  log: Logger,
  metrics: MetricsRegistry,
): BrokerClient {
  return openRedisBrokerClient(url, {
    registryUrl: config.registryRedisUrl,
    prefix: config.redisPrefix,
    ...redisConnection(config),
    nodeLeaseMs: config.nodeLeaseMs,
    presencePartitions: config.presencePartitions,
    maxRevocations: config.maxRevocations,
    onError: logRedisFailures(log, metrics),
    durableTimeoutMs: config.durableTimeoutMs,
    onDurableWait: observeDurableWaits(log, metrics),
    onAcknowledgedLoss: reportAcknowledgedLosses(log, metrics),
  });
}

function reportAcknowledgedLosses(log: Logger, metrics: MetricsRegistry): (loss: AcknowledgedLoss) => void {
  const count = metricsKit(metrics).counter(
    'hubbub_acknowledged_lost_total',
    'Rooms of which Redis, when it returned with older data, lacked messages that this process had acknowledged.',
  );
  const logLoss = occasionally(
    LOSS_LOG_INTERVAL_MS,
    (suppressed, { room, epoch, keptOffset, offset }: AcknowledgedLoss) =>
      log.warn(
        { event: 'acknowledged_lost', room, epoch, keptOffset, offset, suppressed },
        'Redis returned with older data and has lost acknowledged messages of a room',
      ),
  );
  return loss => {
    count();
    logLoss(loss);
  };
}

function observeDurableWaits(log: Logger, metrics: MetricsRegistry): (outcome: WaitOutcome) => void {
  const kit = metricsKit(metrics);
  const wait = kit.duration(
    'hubbub_durable_wait_seconds',
    'Time until a replica confirmed the messages of durable namespaces; one wait for all messages of a moment.',
    DURABLE_BUCKETS_SECONDS,
  );
  const count = kit.counter(
    'hubbub_durable_unconfirmed_total',
    'Messages of durable namespaces that no replica confirmed in time: their senders got OUTCOME_UNKNOWN.',
  );
  const logUnconfirmed = occasionally(FAILURE_LOG_INTERVAL_MS, (suppressed, messages: number) =>
    log.warn({ event: 'durable_unconfirmed', messages, suppressed }, 'no replica of Redis confirmed messages in time'),
  );
  return ({ durationMs, unconfirmed }) => {
    wait(durationMs);
    if (unconfirmed === 0) return;
    count(unconfirmed);
    logUnconfirmed(unconfirmed);
  };
}

/** A Redis that is away fails on every connection several times a second: it is logged occasionally. */
export function logRedisFailures(log: Logger, metrics: MetricsRegistry): (error: Error) => void {
  const count = countRedisFailures(metrics);
  const logFailure = occasionally(FAILURE_LOG_INTERVAL_MS, (suppressed, { message }: Error) =>
    log.error({ event: 'redis_failed', err: message, suppressed }, 'Redis does not answer; trying again until it does'),
  );
  return error => {
    count();
    logFailure(error);
  };
}

const RETRY_MS = 50;

/** Runs the work once Redis answers. @throws the error of the work, or a timeout. */
export async function untilRedis<Result>(
  work: () => Promise<Result>,
  withinMs: number,
  giveUp?: AbortSignal,
): Promise<Result> {
  const end = performance.now() + withinMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      // Not connected yet: connections are opened in the background.
      const isWorthIt = error instanceof HubbubError && error.retryable && performance.now() < end;
      if (!isWorthIt || giveUp?.aborted === true) throw error;
      await delay(RETRY_MS);
    }
  }
}
