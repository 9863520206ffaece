/** Questions to the authorizer, and its answers (docs/authorizer.md). */
import { beginningOf, type Payload, type Sender, toWellFormed } from '@hubbub/protocol';
import { z } from 'zod';

export type AuthorizedAction = 'connect' | 'refresh' | 'join' | 'publish';

export interface Question {
  readonly action: AuthorizedAction;
  readonly user: Sender;
  /** Of the client, as the edge sees it. */
  readonly address: string | undefined;
  /** At a join and a publish, and at a connect to the path of a room. */
  readonly room?: string | undefined;
  /** Of the request, without its query; at a connect. */
  readonly path?: string;
  /** By the names in the path's template, at a connect to the path of a room. */
  readonly params?: Readonly<Record<string, string>> | undefined;
  /** At a publish. */
  readonly payload?: Payload;
}

/** The part of a longer reason that the client gets. */
const REASON_MAX_LENGTH = 200;

export const answerSchema = z.object({
  allow: z.boolean(),
  reason: z
    .string()
    .transform(reason => beginningOf(toWellFormed(reason), REASON_MAX_LENGTH))
    .optional(),
  unauthorized: z.literal(true).optional(),
  ttl_ms: z.number().min(0).optional(),
});
export type Answer = z.infer<typeof answerSchema>;
