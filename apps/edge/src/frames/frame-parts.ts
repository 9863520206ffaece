/** The parts that the handlers of frames choose from; each names those that it uses. */
import type { Namespaces } from '@hubbub/config';
import type { SessionLimits } from '@hubbub/protocol';
import type { Authorizer } from '../admission/authorizer/authorizer.js';
import type { AuthorizeJoin } from '../admission/join-authorization.js';
import type { Revocations } from '../admission/revocations.js';
import type { TokenVerifier } from '../admission/token.js';
import type { HistoryReader } from '../history/history-reader.js';
import type { PresenceReporter } from '../presence/presence-reporter.js';
import type { RosterQuestions } from '../presence/roster-questions.js';
import type { Memberships } from '../rooms/memberships.js';
import type { RoomPublisher } from '../rooms/room-publisher.js';
import type { EventPublisher } from '../services/event-publisher.js';
import type { Expiry } from '../sessions/expiry.js';
import type { Refusals } from '../sessions/refusals.js';
import type { Session } from '../sessions/session.js';

export interface FrameParts {
  readonly authorizer: Authorizer;
  readonly authorizeJoin: AuthorizeJoin;
  readonly verifyToken: TokenVerifier;
  readonly revocations: Revocations;
  readonly namespaces: Namespaces;
  readonly limits: SessionLimits;
  readonly refusals: Refusals;
  readonly expiry: Expiry<Session>;
  readonly memberships: Memberships;
  readonly publisher: RoomPublisher;
  readonly history: HistoryReader;
  readonly events: EventPublisher;
  readonly presence: PresenceReporter;
  readonly questions: RosterQuestions;
}
