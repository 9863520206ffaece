/** The server SDK on the Redis that the configuration names, for commands that ask or send once. */
import { type Config, withoutCredentials } from '@hubbub/config';
import { HubbubError } from '@hubbub/protocol';
import { connectHubbub, type Hubbub } from '@hubbub/server';
import { CommandFailure } from './command-line.js';
import { redisCertificateFiles, redisConnection, requireRedis } from './redis.js';

export interface OpenService {
  readonly hubbub: Hubbub;
  /** The reason why Redis does not answer. */
  failure(): string;
}

/** @throws {ConfigError} */
export function openService(config: Config): OpenService {
  let failure = 'it does not answer';
  redisConnection(config); // Its errors name the settings, those of the SDK its options.
  const { registryRedisUrl } = config;
  const hubbub = connectHubbub({
    redisUrl: requireRedis(config),
    ...(registryRedisUrl !== undefined && { registryRedisUrl }),
    redisTls: redisCertificateFiles(config),
    redisPrefix: config.redisPrefix,
    timeoutMs: config.redisCommandTimeoutMs,
    maxRevocations: config.maxRevocations,
    onError: error => {
      failure = error.message;
    },
  });
  return { hubbub, failure: () => failure };
}

/**
 * @param goal completes "Redis at … did not take", such as "the message"
 * @throws {CommandFailure} when Redis does not answer; {@link HubbubError} for wrong arguments
 */
export async function withService<Result>(
  config: Config,
  goal: string,
  work: (hubbub: Hubbub) => Promise<Result>,
): Promise<Result> {
  const { hubbub, failure } = openService(config);
  try {
    return await work(hubbub);
  } catch (error) {
    const code = error instanceof HubbubError ? error.code : undefined;
    if (code !== 'UNAVAILABLE' && code !== 'OUTCOME_UNKNOWN') throw error;
    const outcome = code === 'UNAVAILABLE' ? 'did not take' : 'did not confirm';
    throw new CommandFailure(
      `Redis at ${withoutCredentials(requireRedis(config))} ${outcome} ${goal} (${failure()}); see: hubbub doctor`,
    );
  } finally {
    await hubbub.close();
  }
}
