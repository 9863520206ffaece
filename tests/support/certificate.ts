/** Self-signed certificates (X.509, DER by hand): Node can read them but not make them. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanup } from './cleanup.js';
import type { TestKeyPair } from './jwt.js';

export interface TlsCertificate {
  /** PEM; clients trust it directly. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

export interface TlsCertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** Replaces the content of the files, as a renewal does. */
  write(certificate: Partial<TlsCertificate>): void;
}

const [SEQUENCE, SET, INTEGER, BIT_STRING, OCTET_STRING, NULL, OBJECT_ID] = [0x30, 0x31, 2, 3, 4, 5, 6] as const;
const [UTF8, UTC_TIME] = [0x0c, 0x17] as const;
const TAGGED = { version: 0xa0, extensions: 0xa3, dnsName: 0x82, ipAddress: 0x87 } as const;
/** RFC 8410, 5758 and 8017. RSA has empty parameters. */
const ALGORITHMS = {
  ed25519: [der(OBJECT_ID, Buffer.from('2b6570', 'hex'))],
  'P-256': [der(OBJECT_ID, Buffer.from('2a8648ce3d040302', 'hex'))],
  RSA: [der(OBJECT_ID, Buffer.from('2a864886f70d01010b', 'hex')), der(NULL)],
};
/** 2.5.4.3 and 2.5.29.17 (RFC 5280). */
const COMMON_NAME = Buffer.from('550403', 'hex');
const SUBJECT_ALT_NAME = Buffer.from('551d11', 'hex');

/** Returns PEM, without a name. The pair must be Ed25519. */
export function ed25519Certificate(pair: TestKeyPair): string {
  return selfSigned('ed25519', pair, der(SEQUENCE));
}

/**
 * A certificate for localhost and 127.0.0.1.
 * @param name its common name, by which a test distinguishes certificates
 */
export function tlsCertificate(name: string, kind: 'P-256' | 'RSA' = 'P-256'): TlsCertificate {
  const pair =
    kind === 'RSA'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const subject = der(SEQUENCE, der(SET, der(SEQUENCE, der(OBJECT_ID, COMMON_NAME), der(UTF8, Buffer.from(name)))));
  const names = der(
    SEQUENCE,
    der(TAGGED.dnsName, Buffer.from('localhost')),
    der(TAGGED.ipAddress, Buffer.from([127, 0, 0, 1])),
  );
  const extension = der(SEQUENCE, der(OBJECT_ID, SUBJECT_ALT_NAME), der(OCTET_STRING, names));
  return {
    cert: selfSigned(kind, pair, subject, der(TAGGED.extensions, der(SEQUENCE, extension))),
    key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** Files that hold the certificate; removed with the test. */
export function tlsCertificateFiles(certificate: TlsCertificate): TlsCertificateFiles {
  const folder = mkdtempSync(join(tmpdir(), 'hubbub-tls-'));
  cleanup(() => rmSync(folder, { recursive: true, force: true }));
  const files: TlsCertificateFiles = {
    certFile: join(folder, 'tls.crt'),
    keyFile: join(folder, 'tls.key'),
    write({ cert, key }) {
      if (cert !== undefined) writeFileSync(files.certFile, cert);
      if (key !== undefined) writeFileSync(files.keyFile, key);
    },
  };
  files.write(certificate);
  return files;
}

interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

function selfSigned(kind: keyof typeof ALGORITHMS, pair: KeyPair, subject: Buffer, ...extensions: Buffer[]): string {
  const algorithm = der(SEQUENCE, ...ALGORITHMS[kind]);
  const body = der(
    SEQUENCE,
    der(TAGGED.version, der(INTEGER, Buffer.from([2]))),
    der(INTEGER, Buffer.from([1])),
    algorithm,
    subject,
    der(SEQUENCE, der(UTC_TIME, Buffer.from('200101000000Z')), der(UTC_TIME, Buffer.from('490101000000Z'))),
    subject,
    pair.publicKey.export({ type: 'spki', format: 'der' }),
    ...extensions,
  );
  const signature = sign(kind === 'ed25519' ? null : 'sha256', body, pair.privateKey);
  const bytes = der(SEQUENCE, body, algorithm, der(BIT_STRING, Buffer.concat([Buffer.from([0]), signature])));
  const lines = bytes.toString('base64').replace(/.{64}/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

/** A value of ASN.1 in DER. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length: size } = content;
  // The shortest encoding: BoringSSL, the TLS library of edges, accepts no other.
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}
