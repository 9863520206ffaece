/** The policy for admission and joins, from the configuration. */
import { type Config, createRequestSources } from '@hubbub/config';
import type { Logger, MetricsRegistry } from '@hubbub/runtime';
import type { AdmissionPolicy } from './admission.js';
import { anonymousRights } from './anonymous.js';
import { createAuthorizer } from './authorizer/authorizer.js';
import type { ClaimsVerifier } from './claims.js';
import { createRoomEntrance } from './room-entrance.js';
import { createRoomTokenVerifier } from './room-token.js';
import { createTokenVerifier } from './token.js';

export interface AdmissionParts {
  readonly verifyClaims: ClaimsVerifier;
  readonly nextSessionId: () => string;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

export function createAdmissionPolicy(config: Config, parts: AdmissionParts): AdmissionPolicy {
  const { namespaces } = config;
  const { verifyClaims, nextSessionId } = parts;
  const authorizer = createAuthorizer(config, parts);
  return {
    sources: createRequestSources(config),
    verifyToken: createTokenVerifier(verifyClaims),
    namespaces,
    anonymousRights: anonymousRights(namespaces),
    authorizer,
    entrance: createRoomEntrance({ namespaces, verifyRoomToken: createRoomTokenVerifier(verifyClaims), authorizer }),
    nextSessionId,
  };
}
