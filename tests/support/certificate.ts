/** A self-signed certificate of a key (X.509, DER by hand): Node can read them but not make them. */
import { sign } from 'node:crypto';
import type { TestKeyPair } from './jwt.js';

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OBJECT_ID = 0x06;
const UTC_TIME = 0x17;
const VERSION = 0xa0;

/** 1.3.101.112 (RFC 8410). */
const ED25519 = Buffer.from([0x2b, 0x65, 0x70]);

/** Returns PEM. The pair must be Ed25519: its signature needs no parameters. */
export function ed25519Certificate({ privateKey, publicKey }: TestKeyPair): string {
  const algorithm = der(SEQUENCE, der(OBJECT_ID, ED25519));
  const nobody = der(SEQUENCE);
  const validity = der(
    SEQUENCE,
    der(UTC_TIME, Buffer.from('200101000000Z')),
    der(UTC_TIME, Buffer.from('490101000000Z')),
  );
  const body = der(
    SEQUENCE,
    der(VERSION, der(INTEGER, Buffer.from([2]))),
    der(INTEGER, Buffer.from([1])),
    algorithm,
    nobody,
    validity,
    nobody,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = der(BIT_STRING, Buffer.concat([Buffer.from([0]), sign(null, body, privateKey)]));
  const base64 = der(SEQUENCE, body, algorithm, signature).toString('base64').replace(/.{64}/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;
}

/** A value of ASN.1 in DER. */
export function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length: size } = content;
  // The shortest encoding: BoringSSL, the TLS library of edges, accepts no other.
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}
