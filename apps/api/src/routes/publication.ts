/** A message of a request as the server SDK takes it. */
import { parseServiceMessage } from '@hubbub/protocol/service-message';
import type { Publication } from '@hubbub/server';
import type { z } from 'zod';
import type { messageFields } from '../http/fields.js';

export type MessageBody = z.infer<z.ZodObject<typeof messageFields>>;

/**
 * Checked here, before the key is claimed: a request that is refused as malformed uses up no key.
 * @throws {HubbubError} `INVALID_FORMAT`, `INVALID_PAYLOAD`
 */
export function publicationOf(body: MessageBody, idempotencyKey: string | undefined): Publication {
  const { exclude_session, exclude_user, idempotency_key: _, ...message } = body;
  return {
    ...parseServiceMessage(message),
    ...(exclude_session !== undefined && { excludeSession: exclude_session }),
    ...(exclude_user !== undefined && { excludeUser: exclude_user }),
    ...(idempotencyKey !== undefined && { idempotencyKey }),
  };
}
