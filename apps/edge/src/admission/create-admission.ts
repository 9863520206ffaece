/** Creates what admits connections and authorizes joins, from the configuration of an edge. */
import type { RevocationLog } from '@hubbub/broker';
import { type Config, createRequestSources } from '@hubbub/config';
import type { Logger, MetricsRegistry } from '@hubbub/runtime';
import type { AdmissionPolicy } from './admission.js';
import { createAuthorizer } from './authorizer/authorizer.js';
import { createJoinAuthorization } from './join-authorization.js';
import { openTokenKeys } from './keys/token-keys.js';
import { Revocations } from './revocations.js';
import { anonymousRights } from './rights.js';
import { createRoomTokenVerifier } from './room-token.js';
import { createTokenVerifier } from './token.js';

export interface AdmissionParts {
  readonly nextSessionId: () => string;
  readonly revocationLog: RevocationLog;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

export interface Admission extends AdmissionPolicy {
  /** Stops reading keys and revocations. */
  close(): void;
}

/** @throws {ConfigError} naming each key file that is wrong */
export function createAdmission(config: Config, parts: AdmissionParts): Admission {
  const { namespaces } = config;
  const { verifyClaims, close } = openTokenKeys(config, parts);
  const authorizer = createAuthorizer(config, parts);
  const revocations = new Revocations(config, parts);
  const verifyRoomToken = createRoomTokenVerifier(verifyClaims, revocations);
  return {
    sources: createRequestSources(config),
    verifyToken: createTokenVerifier(verifyClaims),
    revocations,
    namespaces,
    anonymousRights: anonymousRights(namespaces),
    authorizer,
    authorizeJoin: createJoinAuthorization({ namespaces, verifyRoomToken, authorizer }),
    nextSessionId: parts.nextSessionId,
    close() {
      close();
      revocations.close();
    },
  };
}
