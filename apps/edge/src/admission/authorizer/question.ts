/** Questions to the authorizer over HTTP, and its answers (docs/authorizer.md): bounded in time and size. */
import { beginningOf, isAnonymousId, type Payload, type Sender, toJsonValue, toWellFormed } from '@hubbub/protocol';
import { z } from 'zod';
import { fetchText } from '../fetch-text.js';

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

export interface HttpAuthorizer {
  readonly url: string;
  /** Sent as `Authorization: Bearer`. */
  readonly key: string | undefined;
  readonly timeoutMs: number;
}

/** An answer is a few words: a larger one is not from an authorizer. */
const MAX_ANSWER_BYTES = 65_536;

/** Rejects when the authorizer cannot be reached, is late, or returns anything but an answer. The error holds no secret. */
export async function askOverHttp({ url, key, timeoutMs }: HttpAuthorizer, question: Question): Promise<Answer> {
  const { payload, ...rest } = question;
  const body = {
    ...rest,
    ...(isAnonymousId(question.user.id) && { anonymous: true }),
    ...(payload !== undefined && { payload: toJsonValue(payload) }),
  };
  const init: RequestInit = {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
    },
    body: JSON.stringify(body),
    redirect: 'error', // A redirect would carry the key to another server.
    signal: AbortSignal.timeout(timeoutMs),
  };
  const text = await fetchText(url, init, MAX_ANSWER_BYTES, failure);
  const answer = answerSchema.safeParse(JSON.parse(text));
  if (!answer.success) throw new Error('its answer is not { allow: true | false, … }');
  return answer.data;
}

function failure(reason: 'status' | 'too_large', status: number): Error {
  if (reason === 'status') return new Error(`it answered with status ${status}`);
  return new Error(`its answer has more than ${MAX_ANSWER_BYTES} bytes`);
}
