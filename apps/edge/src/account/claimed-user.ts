/** The user that a refused request claims to be: read from its token without verifying it. */
import { chooseSubprotocol, isUserId } from '@hubbub/protocol';
import type { UpgradeRequest } from '../admission/admission.js';
import { presentedToken } from '../admission/presented-token.js';

export type PresentingRequest = Pick<UpgradeRequest, 'authorization' | 'subprotocols' | 'queryToken'>;

/** `undefined` without a token, or where its claims cannot be read. */
export function claimedUser({ authorization, subprotocols, queryToken }: PresentingRequest): string | undefined {
  try {
    const token = presentedToken(authorization, chooseSubprotocol(subprotocols).token, queryToken);
    const [, claims = ''] = token?.split('.', 2) ?? [];
    const { sub } = Object(JSON.parse(Buffer.from(claims, 'base64url').toString()));
    return isUserId(sub) ? sub : undefined;
  } catch {
    return undefined; // Not JSON, or no subprotocol that this edge speaks.
  }
}
