/** Claims of a token: validity, issuer, audience, and the fields that open a session. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type JwtRequest, jwt } from '../../../tests/support/jwt.js';
import type { TokenSettings } from '../src/admission/keys/token-keys.js';
import { createTokenVerifier } from '../src/admission/token.js';
import { claims, nowSeconds, openKeys, SECRET, verdict, withSecret } from './token-verdict.js';

// A slow machine must not come nearer to the end of a leeway.
beforeAll(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterAll(() => void vi.useRealTimers());

describe('claims', () => {
  const signed = (more: object): JwtRequest => ({ alg: 'HS256', key: SECRET, claims: claims(more) });
  const worth = (more: object, configured: Partial<TokenSettings> = {}) =>
    verdict(jwt(signed(more)), { ...withSecret, ...configured });

  test.each([
    ['expired', { exp: -6 }, 'UNAUTHORIZED'],
    ['expired within the leeway', { exp: -4 }, 'alice'],
    ['not valid yet', { nbf: 7 }, 'UNAUTHORIZED'],
    ['not valid yet, within the leeway', { nbf: 4 }, 'alice'],
    ['expired before it is valid', { exp: -60, nbf: 60 }, 'UNAUTHORIZED'],
  ])('%s', async (_, offsets: Record<string, number>, expected) => {
    const dates = Object.fromEntries(Object.entries(offsets).map(([name, offset]) => [name, nowSeconds() + offset]));
    expect(await worth(dates)).toBe(expected);
  });

  test('without a leeway the exact second counts', async () => {
    expect(await worth({ exp: nowSeconds() - 1 }, { jwtLeewayMs: 0 })).toBe('UNAUTHORIZED');
    expect(await worth({ nbf: nowSeconds() + 2 }, { jwtLeewayMs: 0 })).toBe('UNAUTHORIZED');
    expect(await worth({ exp: nowSeconds() + 2, nbf: nowSeconds() }, { jwtLeewayMs: 0 })).toBe('alice');
  });

  test.each<[string, string]>([
    ['text', '"9999999999"'],
    ['null', 'null'],
    ['true', 'true'],
    ['a list', '[9999999999]'],
    ['an object', '{"valueOf":9999999999}'],
    ['more than a number can be', '1e400'],
    ['less than a number can be', '-1e400'],
  ])('exp or nbf that is %s makes the token not valid, and never endless', async (_, value) => {
    for (const claim of ['exp', 'nbf']) {
      const payload = `{"sub":"alice","${claim}":${value}}`;
      expect(await verdict(jwt({ alg: 'HS256', key: SECRET, claims: payload }), withSecret), claim).toBe(
        'UNAUTHORIZED',
      );
    }
  });

  test.each([0, -1, -1e300, 1.5])('exp: %d is in the past', async exp => {
    expect(await worth({ exp })).toBe('UNAUTHORIZED');
  });

  const refusalOf = async (more: object, configured: Partial<TokenSettings> = {}) => {
    const keys = openKeys({ ...withSecret, ...configured });
    return await Promise.resolve()
      .then(() => createTokenVerifier(keys.verifyClaims)(jwt(signed(more))))
      .catch((error: unknown) => error);
  };

  test.each([
    ['exp', 2 ** 53],
    ['exp', 1e300],
    ['exp', Date.now() + 60_000],
    ['nbf', Date.now()],
  ])('refuses %s: %d, which is not a number of seconds, and names the reason', async (claim, value) => {
    expect(await refusalOf({ [claim]: value })).toMatchObject({
      code: 'UNAUTHORIZED',
      message: `The token's claim ${claim} is beyond the year 9999; it is a number of seconds, not of milliseconds.`,
    });
  });

  test.each<[string, object, Partial<TokenSettings>]>([
    ['exp', { exp: nowSeconds() - 60 }, {}],
    ['exp', { exp: null }, {}],
    ['nbf', { nbf: nowSeconds() + 60 }, {}],
    ['iss', {}, { jwtIssuer: 'https://id.example' }],
    ['aud', {}, { jwtAudience: ['chat'] }],
    ['sub', { sub: '..' }, {}],
    ['name', { name: '' }, {}],
    ['rooms', { rooms: 'chat:*' }, {}],
  ])('the message names the claim %s that is wrong', async (claim, more, configured) => {
    const message = expect.stringMatching(`claim ${claim}\\b`);
    expect(await refusalOf(more, configured)).toMatchObject({ code: 'UNAUTHORIZED', message });
  });

  test('production refuses a token without exp, unless a setting allows it', async () => {
    const production = { production: true };
    expect(await refusalOf({ exp: undefined }, production)).toMatchObject({
      code: 'UNAUTHORIZED',
      message: expect.stringContaining('claim exp'),
    });
    expect(await worth({ exp: undefined }, { ...production, jwtAllowWithoutExp: true })).toBe('alice');
    expect(await worth({}, production)).toBe('alice');
  });

  test('a token with nbf beyond all dates never becomes valid', async () => {
    expect(await worth({ nbf: 1e300 })).toBe('UNAUTHORIZED');
    expect(await worth({ nbf: -1e300 })).toBe('alice');
  });

  test('the session ends after exp plus the leeway; without exp it does not end', async () => {
    const keys = openKeys(withSecret);
    const verify = createTokenVerifier(keys.verifyClaims);
    const exp = nowSeconds() + 60;
    expect(await verify(jwt(signed({ exp })))).toMatchObject({ expiresAtMs: exp * 1000 + 5000 });
    expect((await verify(jwt(signed({ exp: undefined })))).expiresAtMs).toBeUndefined();
  });

  test.each<[string, object, string]>([
    ['the issuer', { iss: 'https://id.example' }, 'alice'],
    ['another issuer', { iss: 'https://evil.example' }, 'UNAUTHORIZED'],
    ['an issuer that begins alike', { iss: 'https://id.example.evil' }, 'UNAUTHORIZED'],
    ['a list of issuers', { iss: ['https://id.example'] }, 'UNAUTHORIZED'],
    ['no issuer', {}, 'UNAUTHORIZED'],
  ])('iss: %s', async (_, more, expected) => {
    expect(await worth(more, { jwtIssuer: 'https://id.example' })).toBe(expected);
  });

  test.each<[string, object, string]>([
    ['one of ours', { aud: 'chat' }, 'alice'],
    ['the other of ours', { aud: 'game' }, 'alice'],
    ['ours among others', { aud: ['mail', 'chat'] }, 'alice'],
    ['another', { aud: 'mail' }, 'UNAUTHORIZED'],
    ['others', { aud: ['mail', 'cha'] }, 'UNAUTHORIZED'],
    ['an empty list', { aud: [] }, 'UNAUTHORIZED'],
    ['a number', { aud: 7 }, 'UNAUTHORIZED'],
    ['a list in a list', { aud: [['chat']] }, 'UNAUTHORIZED'],
    ['none', {}, 'UNAUTHORIZED'],
  ])('aud: %s', async (_, more, expected) => {
    expect(await worth(more, { jwtAudience: ['chat', 'game'] })).toBe(expected);
  });

  test.each<[string, object]>([
    ['a room token', { room: 'general' }],
    ['a room token whose room is null', { room: null }],
    ['a user who is called like one without a token', { sub: 'anonymous:abc' }],
    ['no user', { sub: undefined }],
    ['a number as the user', { sub: 7 }],
  ])('%s opens no session', async (_, more) => {
    expect(await worth(more)).toBe('UNAUTHORIZED');
  });
});
