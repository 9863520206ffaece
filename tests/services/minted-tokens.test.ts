/** Tokens that the server SDK mints: they grant exactly their claims, and invalid ones are not minted. */
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTokenMint, type TokenMintOptions } from '@hubbub/server';
import { TEST_JWT_SECRET } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { withNamespaces } from '../presence/config-file.js';
import { cleanup } from '../support/cleanup.js';
import { startCluster } from '../support/cluster.js';
import { type KeyKind, keyPair } from '../support/jwt.js';
import { connect } from '../support/raw-client.js';

const NAMESPACES = {
  log: { public: true, historySize: 100, historyTtlMs: 60_000 },
  board: { requireRoomToken: true },
};

describe('tokens', () => {
  const algorithms: ReadonlyArray<[TokenMintOptions['algorithm'] & string, KeyKind | 'secret']> = [
    ['HS256', 'secret'],
    ['RS256', 'RSA-2048'],
    ['ES256', 'P-256'],
    ['EdDSA', 'Ed25519'],
  ];

  test.each(algorithms)(
    'that are minted with %s grant a session, a room, and the rooms in their claims',
    async (algorithm, kind) => {
      const folder = await mkdtemp(join(tmpdir(), 'hubbub-'));
      cleanup(() => rm(folder, { recursive: true }));
      let key = TEST_JWT_SECRET;
      const env: Record<string, string> = {
        ...withNamespaces(NAMESPACES),
        HUBBUB_JWT_ISSUER: 'the back end',
        HUBBUB_JWT_AUDIENCE: 'hub,other',
      };
      if (kind !== 'secret') {
        const pair = keyPair(kind);
        key = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
        writeFileSync(join(folder, 'key.pem'), pair.pem);
        env.HUBBUB_JWT_PUBLIC_KEY_FILES = join(folder, 'key.pem');
      }
      const cluster = await startCluster({ edges: 1, presence: 0, env });
      const mint = createTokenMint({ key, algorithm, issuer: 'the back end', audience: 'hub' });
      const token = mint.session({
        user: 'minted',
        name: 'Minted',
        role: 'host',
        rooms: { 'log:*': ['join', 'history'] },
      });
      const client = await connect(cluster.edge(0).wsUrl, { name: 'minted', token });
      const { payload } = await client.nextFrame('welcome');
      expect(payload).toMatchObject({ user: { id: 'minted', name: 'Minted' } });
      const expiresInMs = Date.parse(String(payload?.expires_at)) - Date.now();
      expect(expiresInMs).toBeGreaterThan(14 * 60_000);
      expect(expiresInMs).toBeLessThan(16 * 60_000);
      await client.join('log:minted');
      expect(await client.ask({ type: 'send_message', room: 'log:minted', payload: {} })).toMatchObject({
        payload: { code: 'FORBIDDEN' },
      });
      const joinWith = (room: string, roomToken: string) =>
        client.ask({ type: 'join_room', payload: { room_id: room, token: roomToken } });
      const roomToken = mint.room({ user: 'minted', room: 'board:1', rights: ['join', 'publish'] });
      expect(await joinWith('board:2', roomToken)).toMatchObject({ payload: { code: 'FORBIDDEN' } });
      expect(await joinWith('board:1', roomToken)).toMatchObject({ type: 'ack' });
      expect(await client.ask({ type: 'send_message', room: 'board:1', payload: {} })).toMatchObject({ type: 'ack' });
    },
    30_000,
  );

  const secret = TEST_JWT_SECRET;
  test.each<[string, () => unknown]>([
    ['a key of another kind', () => createTokenMint({ key: secret, algorithm: 'RS256' })],
    ['a key on another curve', () => createTokenMint({ key: pemOf('P-384'), algorithm: 'ES256' })],
    ['a private key as a secret', () => createTokenMint({ key: pemOf('P-256'), algorithm: 'HS256' })],
    ['a public key', () => createTokenMint({ key: keyPair('P-256').pem, algorithm: 'ES256' })],
    ['no key', () => createTokenMint({ key: '' })],
    ['none', () => createTokenMint({ key: secret, algorithm: 'none' as never })],
    ['no user', () => createTokenMint({ key: secret }).session({ user: '' })],
    ['a user that is a number', () => createTokenMint({ key: secret }).session({ user: 7 as never })],
    ['a user of 129 bytes', () => createTokenMint({ key: secret }).session({ user: 'x'.repeat(129) })],
    ['a user without a token', () => createTokenMint({ key: secret }).session({ user: 'anonymous:1' })],
    ['an empty name', () => createTokenMint({ key: secret }).session({ user: 'u', name: '' })],
    ['rooms that are text', () => createTokenMint({ key: secret }).session({ user: 'u', rooms: '*' as never })],
    ['a pattern that is a number', () => createTokenMint({ key: secret }).session({ user: 'u', rooms: [1] as never })],
    [
      'an unknown right',
      () => createTokenMint({ key: secret }).session({ user: 'u', rooms: { '*': ['fly' as never] } }),
    ],
    ['a time in the past', () => createTokenMint({ key: secret }).session({ user: 'u', ttlMs: -1 })],
    ['a time that is not a number', () => createTokenMint({ key: secret }).session({ user: 'u', ttlMs: Number.NaN })],
    [
      'a room token with an unknown right',
      () => createTokenMint({ key: secret }).room({ user: 'u', room: 'a', rights: ['fly' as never] }),
    ],
  ])('are not minted for %s', (_, make) => {
    expect(make).toThrow(expect.objectContaining({ name: 'HubbubError', code: 'INVALID_FORMAT' }));
  });

  test('are not minted for an invalid room', () => {
    expect(() => createTokenMint({ key: secret }).room({ user: 'u', room: 'a b' })).toThrow(
      expect.objectContaining({ code: 'INVALID_ROOM' }),
    );
  });

  function pemOf(kind: KeyKind): string {
    return keyPair(kind).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  }
});
