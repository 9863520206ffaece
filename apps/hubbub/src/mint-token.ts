/** Signs tokens for people who try things out, with the settings of the edges. */
import { type Config, DEVELOPMENT_JWT_SECRET, usesDevelopmentSecret } from '@hubbub/config';
import { createTokenMint, type SessionToken } from '@hubbub/server';

/** Without `rooms` a token opens every room in development, and those of public namespaces in production. */
export type TokenMint = (token: SessionToken) => string;

/** `undefined` where the settings hold nothing to sign with, because another program signs. */
export function openMint(config: Config): TokenMint | undefined {
  const key = config.jwtSecret ?? (usesDevelopmentSecret(config) ? DEVELOPMENT_JWT_SECRET : undefined);
  if (key === undefined) return undefined;
  const { jwtSecretAlgorithm: algorithm, jwtIssuer: issuer, jwtAudience: [audience] = [] } = config;
  const mint = createTokenMint({
    key,
    algorithm,
    ...(issuer !== undefined && { issuer }),
    ...(audience !== undefined && { audience }),
  });
  return token => mint.session(config.production ? token : { rooms: ['*'], ...token });
}
