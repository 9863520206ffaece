/** Signatures of requests to the Pusher HTTP API, with the example that Pusher publishes. */
import { createHash } from 'node:crypto';
import type { PusherApp } from '@hubbub/config';
import { hmacSha256Hex } from '@hubbub/runtime';
import { describe, expect, test } from 'vitest';
import { assertSignedRequest } from '../src/pusher/request-signature.js';

const APP = { key: '278d425bdf160c739803', secret: '7ad3773142a6692b25b8' } as PusherApp;
const BODY = '{"name":"foo","channels":["project-3"],"data":"{\\"some\\":\\"data\\"}"}';
const SIGNED_AT_S = 1_353_088_179;
const FIELDS = {
  auth_key: APP.key,
  auth_timestamp: String(SIGNED_AT_S),
  auth_version: '1.0',
  body_md5: 'ec365a775a4cd0599faeb73354201b6f',
};
const SIGNATURE = 'da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c';

interface Request {
  readonly method?: string;
  readonly path?: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly signature?: string;
  readonly body?: string;
  readonly nowS?: number;
}

function verify({ method = 'POST', path = '/apps/3/events', fields = FIELDS, ...request }: Request = {}) {
  const { signature = SIGNATURE, body = BODY, nowS = SIGNED_AT_S } = request;
  const url = `${path}?${new URLSearchParams({ ...fields, auth_signature: signature })}`;
  return assertSignedRequest({ method, url, body: Buffer.from(body) }, APP, nowS * 1000);
}

/** The signature that the app makes of these fields. */
function signatureOf(fields: Readonly<Record<string, string>>, method = 'POST'): string {
  const query = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
  return hmacSha256Hex(APP.secret, `${method}\n/apps/3/events\n${query.join('&')}`);
}

test("Pusher's own example is right", () => {
  expect(verify().get('auth_key')).toBe(APP.key);
});

describe('a request is refused', () => {
  test.for<[string, Request]>([
    ['with another method', { method: 'GET' }],
    ['at another path', { path: '/apps/4/events' }],
    ['with another body', { body: BODY.replace('foo', 'bar') }],
    ['without its body', { body: '' }],
    ['with another field', { fields: { ...FIELDS, info: 'user_count' } }],
    ['with a signature that begins alike', { signature: SIGNATURE.slice(0, -1) }],
    ['with an empty signature', { signature: '' }],
    ['with a signature in capitals', { signature: SIGNATURE.toUpperCase() }],
  ])('%s', ([, request]) => {
    expect(() => verify(request)).toThrow(expect.objectContaining({ code: 'UNAUTHORIZED' }));
  });

  test('when its body is not part of the signature', () => {
    const { body_md5: _, ...fields } = FIELDS;
    expect(() => verify({ fields, signature: signatureOf(fields) })).toThrow(/body_md5/);
  });

  test.for(['', 'x', 'Infinity', '-1', '1353088179000'])('with the time %j, although its signature is right', time => {
    const fields = { ...FIELDS, auth_timestamp: time };
    expect(() => verify({ fields, signature: signatureOf(fields) })).toThrow(/auth_timestamp/);
  });

  test.for([-601, 601])('%i s after it was signed: a copy of it cannot be sent again', seconds => {
    expect(() => verify({ nowS: SIGNED_AT_S + seconds })).toThrow(/auth_timestamp/);
    expect(() => verify({ nowS: SIGNED_AT_S + Math.sign(seconds) * 600 })).not.toThrow();
  });

  test('with the key of another app, or in another version, although its signature is right', () => {
    for (const change of [{ auth_key: 'other' }, { auth_version: '2.0' }]) {
      const fields = { ...FIELDS, ...change };
      expect(() => verify({ fields, signature: signatureOf(fields) })).toThrow(Object.keys(change)[0]);
    }
  });
});

test('fields are signed by name, without escapes, and lists joined with commas', () => {
  const body_md5 = createHash('md5').update(BODY).digest('hex');
  const signed = { ...FIELDS, body_md5, 'filter[]': 'a b,c/d', info: 'user_count' };
  const query = new URLSearchParams({ info: 'user_count', ...FIELDS });
  query.append('Filter[]', 'a b');
  query.append('Filter[]', 'c/d');
  query.append('auth_signature', signatureOf(signed));
  const request = { method: 'POST', url: `/apps/3/events?${query}`, body: Buffer.from(BODY) };
  expect(assertSignedRequest(request, APP, SIGNED_AT_S * 1000).get('info')).toBe('user_count');
});
