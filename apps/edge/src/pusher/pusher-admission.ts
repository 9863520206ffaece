/** Admits connections of the Pusher protocol: anybody who knows the key of an app; subscriptions are authorized one by one. */
import type { PusherApp } from '@hubbub/config';
import { ANONYMOUS_PREFIX, HubbubError } from '@hubbub/protocol';
import { type AdmissionPolicy, type Admitted, assertSource, type UpgradeRequest } from '../admission/admission.js';
import type { Rights } from '../admission/rights.js';
import { NO_TOKEN } from '../admission/token-identity.js';

const MIN_VERSION = 5;
const MAX_VERSION = 7;
/** Everything comes from the grant of a subscription. */
const NO_RIGHTS: Rights = { allows: () => false };

export interface PusherAdmissionParts extends Pick<AdmissionPolicy, 'sources'> {
  readonly apps: readonly PusherApp[];
  /** Unique in the cluster, of the form `<digits>.<digits>`: SDKs refuse every other one. */
  readonly nextSocketId: () => string;
}

/** @throws {HubbubError} `pusherRefusalCode` has the close code of its code */
export type AdmitPusher = (request: UpgradeRequest) => Admitted;

export function createPusherAdmission({ apps, sources, nextSocketId }: PusherAdmissionParts): AdmitPusher {
  const byKey = new Map(apps.map(app => [app.key, app]));
  return request => {
    assertSource(request, { sources });
    const { key = '', version } = request.pusher ?? {};
    const app = byKey.get(key);
    if (app === undefined) throw new HubbubError('NOT_FOUND', `There is no app with the key ${key.slice(0, 64)}.`);
    assertVersion(version);
    const sessionId = nextSocketId();
    return {
      // As a session without a token: channels have users, connections have none.
      user: { id: `${ANONYMOUS_PREFIX}${sessionId}`, name: 'Anonymous' },
      rights: NO_RIGHTS,
      address: request.address,
      expiresAtMs: undefined,
      token: NO_TOKEN,
      sessionId,
      encoding: 'pusher',
      pusherApp: app,
      subprotocol: undefined,
      room: undefined,
      since: undefined,
      grant: undefined,
    };
  };
}

function assertVersion(version: string | undefined): void {
  if (version === undefined) throw new HubbubError('INVALID_PAYLOAD', 'protocol: expected a version in the query.');
  const number = Number(version);
  if (Number.isInteger(number) && number >= MIN_VERSION && number <= MAX_VERSION) return;
  throw new HubbubError('UNSUPPORTED_SUBPROTOCOL', `protocol: expected ${MIN_VERSION} to ${MAX_VERSION}.`);
}
