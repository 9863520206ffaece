/** Connects a service to the Redis of a cluster. */
import {
  DEFAULT_MAX_REVOCATIONS,
  DEFAULT_NODE_LEASE_MS,
  openRedisBrokerClient,
  type RedisCertificateFiles,
  readRedisCertificates,
} from '@hubbub/broker';
import {
  type AnyEvents,
  DEFAULT_PARTITIONS,
  DEFAULT_REDIS_PREFIX,
  HubbubError,
  type InputsOf,
  type PayloadSchemas,
  parseRedisLocation,
} from '@hubbub/protocol';
import { fieldsOf, text, wholeNumber } from './checks.js';
import { createHubbub, type Hubbub, type ServiceOptions } from './hubbub.js';

const REDIS_URL_MAX_BYTES = 4096;

export interface HubbubOptions extends ServiceOptions {
  /** Such as `redis://127.0.0.1:6379`; the Redis of the cluster. */
  readonly redisUrl: string;
  /** HUBBUB_REGISTRY_REDIS_URL of the cluster, where client events and lifecycle events are. Default: `redisUrl`. */
  readonly registryRedisUrl?: string;
  /**
   * Paths of PEM files for `rediss://`, which are read once. `caFile` replaces the authorities of Node. `certFile` and `keyFile`
   * are of this service, where Redis asks for a certificate.
   */
  readonly redisTls?: RedisCertificateFiles;
  /** How long a message may wait for Redis before it is refused. Default 5,000. */
  readonly timeoutMs?: number;
  /** HUBBUB_MAX_REVOCATIONS of the cluster. Default 100,000. */
  readonly maxRevocations?: number;
  /**
   * Called for each failed connection; it is retried until `close`. Default: ignored, publishes reject meanwhile.
   *
   * Also called with `OUTCOME_UNKNOWN` if Redis, after a restart or a failover, lacks messages of a room. This service had
   * published one of them in the last 10 s. `details` has `room`, `epoch`, `keptOffset` and `offset`: the messages of that epoch
   * from `keptOffset + 1` to `offset` are lost.
   */
  readonly onError?: (error: Error) => void;
}

/**
 * Returns immediately and connects in the background.
 *
 * @throws {HubbubError} `INVALID_FORMAT` for an option that cannot be.
 * @example
 * const hubbub = connectHubbub({ redisUrl: 'redis://127.0.0.1:6379' });
 * await hubbub.publishToUser('u1', { type: 'notification.new', payload: { text: 'Hello' } });
 */
export function connectHubbub<Schemas extends PayloadSchemas>(
  options: HubbubOptions & { readonly schemas: Schemas },
): Hubbub<InputsOf<Schemas>, AnyEvents>;
export function connectHubbub<Published = AnyEvents, Received = Published>(
  options: HubbubOptions,
): Hubbub<Published, Received>;
export function connectHubbub(hubbubOptions: HubbubOptions): Hubbub {
  const {
    redisUrl,
    registryRedisUrl = redisUrl,
    redisTls = {},
    timeoutMs = 5000,
    maxRevocations = DEFAULT_MAX_REVOCATIONS,
    onError = () => {},
    ...options
  } = fieldsOf('options', hubbubOptions);
  fieldsOf('redisTls', redisTls);
  // Its message never quotes the URL.
  for (const [name, url] of Object.entries({ redisUrl, registryRedisUrl })) {
    orInvalidFormat(`${name}: `, () => parseRedisLocation(text(name, url, REDIS_URL_MAX_BYTES)));
  }
  const certificates = orInvalidFormat('', () => readRedisCertificates(redisTls, file => `redisTls.${file}`));
  wholeNumber('timeoutMs', timeoutMs, 1, 600_000);
  wholeNumber('presencePartitions', options.presencePartitions ?? DEFAULT_PARTITIONS, 1, 1024);
  const brokerClient = openRedisBrokerClient(redisUrl, {
    registryUrl: registryRedisUrl,
    prefix: options.redisPrefix ?? DEFAULT_REDIS_PREFIX,
    certificates,
    commandTimeoutMs: timeoutMs,
    durableTimeoutMs: timeoutMs,
    nodeLeaseMs: DEFAULT_NODE_LEASE_MS,
    ...(options.presencePartitions !== undefined && { presencePartitions: options.presencePartitions }),
    waitForConnection: true,
    maxRevocations: wholeNumber('maxRevocations', maxRevocations, 1, 1_000_000),
    onError,
    onAcknowledgedLoss: loss => {
      const lost = `messages ${loss.keptOffset + 1} to ${loss.offset} of room ${loss.room} are lost`;
      const message = `Redis returned with older data: ${lost}. Publish them again if they still matter.`;
      onError(new HubbubError('OUTCOME_UNKNOWN', message, { details: { ...loss } }));
    },
  });
  const hubbub = createHubbub(brokerClient, options);
  const close = async (): Promise<void> => {
    await hubbub.close();
    await brokerClient.close();
  };
  return { ...hubbub, close, [Symbol.asyncDispose]: close };
}

function orInvalidFormat<Result>(prefix: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof TypeError) throw new HubbubError('INVALID_FORMAT', `${prefix}${error.message}`);
    throw error;
  }
}
