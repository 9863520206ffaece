/** The frames of the service, checked on arrival. */
import { z } from 'zod';

const vote = z.object({ preferred_feature_id: z.string().nullable(), is_tie_vote: z.boolean() });
const feature = z.object({ feature_id: z.string(), name: z.string(), description: z.string() });

export const comparisonUpdate = z.object({
  comparison_id: z.string(),
  features: z.tuple([feature, feature]),
  voted: z.array(z.string()),
  votes: z.array(vote.extend({ attendee_id: z.string() })).nullable(),
  consensus: vote.nullable(),
  own_vote: vote.nullable().optional(),
});
export const sessionProgress = z.object({
  total_comparisons: z.number(),
  completed_comparisons: z.number(),
  progress_percentage: z.number(),
  is_complete: z.boolean(),
});
export const attendeeJoined = z.object({ attendee_id: z.string(), name: z.string() });
export const attendeeLeft = z.object({ attendee_id: z.string(), reason: z.string() });
export const aboutComparison = z.object({ comparison_id: z.string() });
export const errorReply = z.object({ code: z.string(), message: z.string(), retry_after_ms: z.number().optional() });

export type Vote = z.infer<typeof vote>;
export type Feature = z.infer<typeof feature>;
export type Progress = z.infer<typeof sessionProgress>;
