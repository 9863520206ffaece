/** Public keys in files: accepted and refused formats. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ed25519Certificate } from '../../../tests/support/certificate.js';
import { jwt, keyPair, type TestKeyPair } from '../../../tests/support/jwt.js';
import { claims, ed25519, file, openKeys, otherEd25519, otherRsa, p256, rsa, verdict } from './token-verdict.js';

describe('files', () => {
  const open = (files: readonly string[]) => () => openKeys({ jwtPublicKeyFiles: [...files] });

  test.each<[string, string, RegExp]>([
    ['a private key', rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), /private key/],
    ['a private key (PKCS#1)', rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(), /private key/],
    ['a private key (SEC1)', p256.privateKey.export({ type: 'sec1', format: 'pem' }).toString(), /private key/],
    ['an RSA key of 1024 bits', keyPair('RSA-1024').pem, /an RSA key of 1024 bits.*2048/],
    ['a key on P-384', keyPair('P-384').pem, /secp384r1.*P-256/],
    ['a key on secp256k1', keyPair('secp256k1').pem, /secp256k1.*P-256/],
    ['an Ed448 key', keyPair('Ed448').pem, /ed448.*Ed25519/],
    ['text', 'hello', /not PEM/],
    ['nothing', '', /not PEM/],
    ['a broken PEM', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n', /PUBLIC KEY that cannot be read/],
    ['two keys', rsa.pem + otherRsa.pem, /several keys/],
    [
      'a public key and a private one',
      rsa.pem + p256.privateKey.export({ type: 'pkcs8', format: 'pem' }),
      /private key/,
    ],
  ])('%s is refused at the start, by the name of the file', (_, content, reason) => {
    const path = file(content);
    expect(open([path])).toThrow(reason);
    expect(open([path])).toThrow(path);
  });

  test('one error lists all wrong and missing files', () => {
    const broken = file('hello');
    const missing = join(tmpdir(), 'hubbub-missing.pem');
    expect(open([broken, missing])).toThrow(broken);
    expect(open([broken, missing])).toThrow(missing);
  });

  test('reads the first certificate of a chain', async () => {
    const chain = ed25519Certificate(ed25519) + ed25519Certificate(otherEd25519);
    const signedBy = (pair: TestKeyPair) => jwt({ alg: 'EdDSA', key: pair.privateKey, claims: claims() });
    for (const pem of [ed25519Certificate(ed25519), chain]) {
      expect(await verdict(signedBy(ed25519), { jwtPublicKeyFiles: [file(pem)] })).toBe('alice');
      expect(await verdict(signedBy(otherEd25519), { jwtPublicKeyFiles: [file(pem)] })).toBe('UNAUTHORIZED');
    }
  });

  test('reads PKCS#1 and Windows line breaks', async () => {
    const pkcs1 = rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString();
    const token = jwt({ alg: 'RS256', key: rsa.privateKey, claims: claims() });
    expect(await verdict(token, { jwtPublicKeyFiles: [file(pkcs1)] })).toBe('alice');
    expect(await verdict(token, { jwtPublicKeyFiles: [file(rsa.pem.replaceAll('\n', '\r\n'))] })).toBe('alice');
  });
});
