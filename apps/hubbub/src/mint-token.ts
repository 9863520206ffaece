/** Signs tokens for people who try things out; services mint theirs with the server SDK. */

import { type Config, DEVELOPMENT_JWT_SECRET, usesDevelopmentSecret } from '@hubbub/config';
import { isRoomPattern, readUserName, userIdProblem } from '@hubbub/protocol';
import { createSigner } from 'fast-jwt';
import { CommandFailure, EXIT } from './exit-codes.js';

export interface TokenSubject {
  readonly user: string;
  readonly name?: string;
  /** Patterns of rooms, such as `chat:*`. Default: every room in development, those of public namespaces in production. */
  readonly rooms?: readonly string[];
  /** Such as `15m`, `1h`, `7d`. */
  readonly ttl: string;
}

/** @throws {CommandFailure} when `user`, `rooms` or `ttl` is not what an edge takes. */
export type TokenMint = (subject: TokenSubject) => string;

export type MintSettings = Pick<
  Config,
  | 'production'
  | 'jwtSecret'
  | 'jwtAcceptedSecrets'
  | 'jwtPublicKeyFiles'
  | 'jwtJwksUrl'
  | 'jwtSecretAlgorithm'
  | 'jwtIssuer'
  | 'jwtAudience'
>;

/**
 * Signs tokens that an edge with these settings accepts; `undefined` where the settings hold nothing to sign with, because
 * somebody else signs.
 */
export function openMint(settings: MintSettings): TokenMint | undefined {
  const secret = settings.jwtSecret ?? (usesDevelopmentSecret(settings) ? DEVELOPMENT_JWT_SECRET : undefined);
  if (secret === undefined) return undefined;
  const { jwtSecretAlgorithm: algorithm, jwtIssuer: iss, jwtAudience } = settings;
  const [aud] = jwtAudience ?? [];
  const defaultRooms = settings.production ? undefined : ['*'];
  return ({ user, name, rooms = defaultRooms, ttl }) => {
    if (!/^\d+ ?(ms|s|m|h|d|w|y)$/.test(ttl))
      throw new CommandFailure(`--ttl: expected a duration such as 15m, 1h or 7d, got "${ttl}"`, EXIT.usage);
    const problem = userIdProblem(user);
    if (problem !== undefined) throw new CommandFailure(`--user: this id ${problem}`, EXIT.usage);
    const called = name === undefined ? {} : readUserName(name);
    if ('problem' in called) throw new CommandFailure(`--name: this name ${called.problem}`, EXIT.usage);
    const wrongPattern = rooms?.find(pattern => !isRoomPattern(pattern));
    if (wrongPattern !== undefined) {
      throw new CommandFailure(
        `--rooms: expected names of rooms, or the beginning of one and a *, got "${wrongPattern}"`,
        EXIT.usage,
      );
    }
    const sign = createSigner({
      key: secret,
      algorithm,
      expiresIn: ttl,
      ...(iss !== undefined && { iss }),
      ...(aud !== undefined && { aud }),
    });
    return sign({ sub: user, ...called, ...(rooms !== undefined && { rooms }) });
  };
}
