/** One question to the authorizer over HTTP: bounded in time and in the size of the answer. */

import { isAnonymousId, toJsonValue } from '@hubbub/protocol';
import { readText } from '../bounded-text.js';
import { type Answer, answerSchema, type Question } from './question.js';

export interface HttpAuthorizer {
  readonly url: string;
  /** Sent as `Authorization: Bearer`. */
  readonly key: string | undefined;
  readonly timeoutMs: number;
}

/** An answer is a few words: who sends more is not the authorizer. */
const MAX_ANSWER_BYTES = 65_536;

/** Rejects when the authorizer cannot be reached, is late, or returns anything but an answer. The error holds no secret. */
export async function askOverHttp({ url, key, timeoutMs }: HttpAuthorizer, question: Question): Promise<Answer> {
  const { payload, ...rest } = question;
  const body = {
    ...rest,
    ...(isAnonymousId(question.user.id) && { anonymous: true }),
    ...(payload !== undefined && { payload: toJsonValue(payload) }),
  };
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
    },
    body: JSON.stringify(body),
    redirect: 'error', // A redirect would carry the key to another server.
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`it answered with status ${response.status}`);
  }
  const answer = answerSchema.safeParse(JSON.parse(await readText(response, MAX_ANSWER_BYTES, tooLarge)));
  if (!answer.success) throw new Error('its answer is not { allow: true | false, … }');
  return answer.data;
}

function tooLarge(): Error {
  return new Error(`its answer has more than ${MAX_ANSWER_BYTES} bytes`);
}
