/** Checks the signature of a request of the Pusher HTTP API: over method, path, query and the hash of the body. */
import { createHash } from 'node:crypto';
import type { PusherApp } from '@hubbub/config';
import { HubbubError } from '@hubbub/protocol';
import { isHmacSha256Hex } from '@hubbub/runtime';

export interface SignedRequest {
  readonly method: string;
  /** As it was sent, with its query. */
  readonly url: string;
  readonly body: Uint8Array;
}

const CLOCK_TOLERANCE_S = 600;

/** @throws {HubbubError} `UNAUTHORIZED`, which names the field that is wrong */
export function assertSignedRequest(
  { method, url, body }: SignedRequest,
  { key, secret }: PusherApp,
  nowMs = Date.now(),
): URLSearchParams {
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
  const check = (isRight: boolean, problem: string): void => {
    if (!isRight) throw new HubbubError('UNAUTHORIZED', problem);
  };
  check(query.get('auth_key') === key, 'auth_key: expected the key of the app.');
  check(query.get('auth_version') === '1.0', 'auth_version: expected 1.0.');
  const ageS = nowMs / 1000 - Number(query.get('auth_timestamp') ?? Number.NaN);
  check(
    Math.abs(ageS) <= CLOCK_TOLERANCE_S,
    `auth_timestamp: expected seconds since 1970, at most ${CLOCK_TOLERANCE_S} s from the time of this server.`,
  );
  const bodyHash = query.get('body_md5');
  if (body.length > 0 || bodyHash !== null) {
    const expected = createHash('md5').update(body).digest('hex');
    check(bodyHash === expected, 'body_md5: expected the MD5 hash of the body.');
  }
  const signed = `${method}\n${path}\n${canonicalQuery(query)}`;
  check(
    isHmacSha256Hex(query.get('auth_signature') ?? '', secret, signed),
    `auth_signature: expected the HMAC-SHA256 of ${JSON.stringify(signed)}.`,
  );
  return query;
}

/** Not encoded, sorted by name, without the signature. */
function canonicalQuery(query: URLSearchParams): string {
  return [...new Set(query.keys())]
    .filter(name => name !== 'auth_signature')
    .map(name => [name.toLowerCase(), query.getAll(name).join(',')] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}
