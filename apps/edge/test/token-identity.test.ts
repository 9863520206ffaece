/** The user of a token: ids that fit a URL, a channel and a room pattern, and readable names. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jwt } from '../../../tests/support/jwt.js';
import { presentedToken } from '../src/admission/presented-token.js';
import { createTokenVerifier } from '../src/admission/token.js';
import { claims, openKeys, SECRET, withSecret } from './token-verdict.js';

const HALF = '\ud83d';

async function userOf(more: object): Promise<{ readonly id: string; readonly name: string }> {
  const verify = createTokenVerifier(openKeys(withSecret).verifyClaims);
  return (await verify(jwt({ alg: 'HS256', key: SECRET, claims: claims(more) }))).user;
}

describe('the claim sub', () => {
  test.each([
    ['a dot', '.', 'sub is a dot segment'],
    ['two dots', '..', 'sub is a dot segment'],
    ['nothing', '', 'sub is not 1 to 128 bytes'],
    ['half a surrogate pair', `ann${HALF}`, 'sub has half a surrogate pair'],
    ['a line break', 'ann\n', 'sub has control characters'],
    ['a C1 control character', 'ann\u009b31m', 'sub has control characters'],
    ['a wildcard', '*', 'sub has a *'],
    ['a wildcard behind a prefix', 'ann*', 'sub has a *'],
    ['more than 128 bytes', 'é'.repeat(65), 'sub is not 1 to 128 bytes'],
    ['a number', 7, 'sub is not text'],
    ['null', null, 'sub is not text'],
  ])('%s is refused, and the message names claim and reason', async (_, sub, message) => {
    await expect(userOf({ sub })).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: expect.stringContaining(message),
    });
  });

  test.each(['...', '.a', 'a/b', 'a b', '%2e%2e', 'ann😀', 'auth0|7', 'a?b#c', '}'])('%s is a user', async sub => {
    expect((await userOf({ sub })).id).toBe(sub);
  });

  test('every admitted id survives as one segment of a URL', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }), async sub => {
        const id = await userOf({ sub }).then(
          user => user.id,
          () => undefined,
        );
        if (id === undefined) return;
        const { pathname } = new URL(`http://api/users/${encodeURIComponent(id)}/messages`);
        const segments = pathname.split('/');
        expect(segments).toHaveLength(4);
        expect(decodeURIComponent(segments[2] ?? '')).toBe(id);
      }),
      { numRuns: 300 },
    );
  });
});

describe('the claim name', () => {
  test('is repaired if it was cut in the middle of an emoji', async () => {
    expect(await userOf({ name: `Ann ${HALF}` })).toEqual({ id: 'alice', name: 'Ann \ufffd' });
  });

  test('of null is absent', async () => {
    expect(await userOf({ name: null })).toEqual({ id: 'alice', name: 'alice' });
  });

  test.each([
    ['empty', '', 'name is not 1 to 128 bytes'],
    ['too long', 'é'.repeat(65), 'name is not 1 to 128 bytes'],
    ['no text', 7, 'name is not text'],
    ['a C1 control character', '\u009b31m', 'name has control characters'],
  ])('that is %s is refused', async (_, name, message) => {
    await expect(userOf({ name })).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: expect.stringContaining(message),
    });
  });
});

test('refuses rooms: null, because an absent claim would open every public room', async () => {
  await expect(userOf({ rooms: null })).rejects.toMatchObject({
    message: expect.stringContaining('rooms is not a list'),
  });
});

test.each<[string, string | undefined]>([
  ['', undefined],
  ['Basic abc', undefined],
  ['Bearertoken', undefined],
  ['Bearer', ''],
  ['Bearer  ', ''],
  ['Bearer\ttoken', ''],
  ['Bearer:token', ''],
  ['Bearer a b', ''],
  ['Bearer token', 'token'],
  ['bEARER   token  ', 'token'],
])('Authorization: %j presents %j', (authorization, token) => {
  expect(presentedToken(authorization, undefined, undefined)).toBe(token);
});
