/** Whom limits of a user count by. */
import type { Sender } from '@hubbub/protocol';
import { isAnonymous } from '../admission/anonymous.js';
import { peerAddress } from '../admission/client-address.js';

/** Of whom limits ask who it is; a session is one. */
export interface Limited {
  readonly user: Sender;
  readonly address: string | undefined;
}

/** The user; of a session without a token its address, because each such session is a user of its own. */
export function limitKeyOf(user: Sender, address: string | undefined): string {
  // A user id never begins with this: tokens with `anonymous:` are refused.
  return isAnonymous(user) ? `anonymous:@${peerAddress(address).group}` : user.id;
}
