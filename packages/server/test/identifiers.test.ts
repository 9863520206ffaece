/** Ids, names and texts in the SDK: a value that cannot arrive whole is refused where it is passed. */
import { decodeEnvelope, HubbubError, readControl } from '@hubbub/protocol';
import { createVerifier } from 'fast-jwt';
import { describe, expect, test } from 'vitest';
import { cleanup } from '../../../tests/support/cleanup.js';
import { connectHubbub, createTokenMint } from '../src/index.js';
import { encodePublication } from '../src/publication.js';

const HALF = '\ud83d';
const WRONG_IDS: ReadonlyArray<readonly [string, string]> = [
  ['a dot', '.'],
  ['two dots', '..'],
  ['half a surrogate pair', `u${HALF}`],
  ['a control character', 'u\u0085'],
  ['a wildcard', '*'],
];
const key = 'a-secret-of-this-test-with-more-than-32-bytes';
const mint = createTokenMint({ key });
const read = (token: string): Record<string, unknown> => createVerifier({ key })(token);
const refused = { code: 'INVALID_FORMAT' };

describe('minting', () => {
  test.each(WRONG_IDS)('%s as the user is refused', (_, user) => {
    expect(() => mint.session({ user })).toThrow(expect.objectContaining(refused));
    expect(() => mint.room({ user, room: 'general' })).toThrow(expect.objectContaining(refused));
  });

  test('a name that was cut in the middle of an emoji is repaired', () => {
    expect(read(mint.session({ user: 'u1', name: `Ann ${HALF}` })).name).toBe('Ann \ufffd');
  });

  test.each(['private:*:inbox', '**', 'private:**', 'a b', '', `chat:${HALF}`, ':*'])(
    'the pattern %j, which matches no room, is refused',
    pattern => {
      expect(() => mint.session({ user: 'u1', rooms: [pattern] })).toThrow(expect.objectContaining(refused));
      expect(() => mint.session({ user: 'u1', rooms: { [pattern]: ['join'] } })).toThrow(
        expect.objectContaining(refused),
      );
    },
  );

  test.each(['*', 'chat:*', 'general', 'private:u1'])('the pattern %s is accepted', pattern => {
    expect(read(mint.session({ user: 'u1', rooms: [pattern] })).rooms).toEqual([pattern]);
  });
});

describe('publishing', () => {
  const hubbub = connectHubbub({ redisUrl: 'redis://127.0.0.1:1', timeoutMs: 50 });
  cleanup(() => hubbub.close());

  test.each(WRONG_IDS)('%s as the user is refused', async (_, user) => {
    await expect(hubbub.publishToUser(user, { type: 'a' })).rejects.toMatchObject(refused);
    await expect(hubbub.disconnectUser(user)).rejects.toMatchObject(refused);
    await expect(hubbub.removeFromRoom('general', user)).rejects.toMatchObject(refused);
    await expect(hubbub.publishToRoom('general', { type: 'a', excludeUser: user })).rejects.toMatchObject(refused);
    await expect(hubbub.presence.user(user)).rejects.toBeInstanceOf(HubbubError);
  });

  test('a control of such a user is malformed on the broker', () => {
    for (const [, user] of WRONG_IDS) expect(readControl({ do: 'remove_user', user })).toBeUndefined();
  });

  test.each<[string, object, string]>([
    ['payload', { payload: { deep: [{ text: HALF }] } }, 'INVALID_PAYLOAD'],
    ['key of the payload', { payload: { [HALF]: 1 } }, 'INVALID_PAYLOAD'],
    ['id', { id: HALF }, 'INVALID_FORMAT'],
    ['id of the sender', { sender: { id: HALF, name: 'Ann' } }, 'INVALID_FORMAT'],
    ['timestamp', { timestamp: HALF }, 'INVALID_FORMAT'],
    ['conflation key', { key: HALF }, 'INVALID_FORMAT'],
    ['idempotency key', { idempotencyKey: HALF }, 'INVALID_FORMAT'],
    ['excluded session', { excludeSession: HALF }, 'INVALID_FORMAT'],
  ])('half a surrogate pair in the %s is refused', async (_, fields, code) => {
    await expect(hubbub.publishToAll({ type: 'a', ...fields })).rejects.toMatchObject({ code });
  });

  test('a backslash before the letters of an escape is not a half', () => {
    expect(() => encodePublication({ type: 'a', payload: { text: '\\ud83d' } }, 1000)).not.toThrow();
  });

  test('half a surrogate pair in the name of the sender is repaired', () => {
    const bytes = encodePublication({ type: 'a', sender: { id: 'u1', name: HALF } }, 1000);
    const body = decodeEnvelope(bytes)?.body ?? new Uint8Array();
    expect(JSON.parse(Buffer.from(body).toString()).sender).toEqual({ id: 'u1', name: '\ufffd' });
  });

  test('half a surrogate pair in the reason of a control is refused', async () => {
    await expect(hubbub.closeRoom('general', HALF)).rejects.toMatchObject(refused);
  });
});
