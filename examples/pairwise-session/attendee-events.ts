/** Checks the client events of attendees, and applies them to a session. */
import type { ServiceEvent } from '@hubbub/server';
import { z } from 'zod';
import type { PairwiseSession } from './session-document.js';
import { type Change, join, leave, Refusal, vote } from './session-rules.js';

const voteSubmitted = z.object({
  vote: z
    .object({
      comparison_id: z.string().min(1).max(64),
      preferred_feature_id: z.string().min(1).max(64).nullable(),
      is_tie_vote: z.boolean(),
    })
    .refine(({ preferred_feature_id, is_tie_vote }) => is_tie_vote === (preferred_feature_id === null)),
});

/** The attendee is the sender, by the token: the payload's own claims are not read. */
type AttendeeEvent = Pick<ServiceEvent, 'type' | 'payload' | 'user' | 'atMs'>;

/** @throws {Refusal} `INVALID_PAYLOAD` */
export function changeOf({ type, payload, user, atMs }: AttendeeEvent): (session: PairwiseSession) => Change {
  if (type === 'join_session') return session => join(session, user.id, user.name, atMs);
  if (type === 'leave_session') return session => leave(session, user.id, 'left', atMs);
  const parsed = voteSubmitted.safeParse(payload);
  if (!parsed.success) {
    throw new Refusal(
      'INVALID_PAYLOAD',
      'Expected { vote: { comparison_id, preferred_feature_id, is_tie_vote } }: a feature and false, or null and true.',
    );
  }
  const { comparison_id, ...cast } = parsed.data.vote;
  return session => vote(session, user.id, comparison_id, cast, atMs);
}
