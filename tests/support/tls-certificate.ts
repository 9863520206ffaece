/** Certificates for servers of a test: self-signed, P-256 or RSA, for localhost and 127.0.0.1, in separate files. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { der } from './certificate.js';
import { cleanup } from './cleanup.js';

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

const SEQUENCE = 0x30;
const SET = 0x31;
const TAGGED = { version: 0xa0, extensions: 0xa3, dnsName: 0x82, ipAddress: 0x87 } as const;
const [INTEGER, BIT_STRING, OCTET_STRING, NULL, OBJECT_ID] = [0x02, 0x03, 0x04, 0x05, 0x06] as const;
const [UTF8, UTC_TIME] = [0x0c, 0x17] as const;
/** 1.2.840.10045.4.3.2, 1.2.840.113549.1.1.11, 2.5.4.3 and 2.5.29.17 (RFC 5758, RFC 8017, RFC 5280). */
const ECDSA_WITH_SHA256 = Buffer.from('2a8648ce3d040302', 'hex');
const SHA256_WITH_RSA = Buffer.from('2a864886f70d01010b', 'hex');
const COMMON_NAME = Buffer.from('550403', 'hex');
const SUBJECT_ALT_NAME = Buffer.from('551d11', 'hex');

/** @param name its common name, by which a test distinguishes certificates */
export function tlsCertificate(name: string, kind: 'P-256' | 'RSA' = 'P-256'): TlsCertificate {
  const { privateKey, publicKey } =
    kind === 'RSA'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm =
    kind === 'RSA'
      ? der(SEQUENCE, der(OBJECT_ID, SHA256_WITH_RSA), der(NULL))
      : der(SEQUENCE, der(OBJECT_ID, ECDSA_WITH_SHA256));
  const subject = der(SEQUENCE, der(SET, der(SEQUENCE, der(OBJECT_ID, COMMON_NAME), der(UTF8, Buffer.from(name)))));
  const names = der(
    SEQUENCE,
    der(TAGGED.dnsName, Buffer.from('localhost')),
    der(TAGGED.ipAddress, Buffer.from([127, 0, 0, 1])),
  );
  const body = der(
    SEQUENCE,
    der(TAGGED.version, der(INTEGER, Buffer.from([2]))),
    der(INTEGER, Buffer.from([1])),
    algorithm,
    subject,
    der(SEQUENCE, der(UTC_TIME, Buffer.from('200101000000Z')), der(UTC_TIME, Buffer.from('490101000000Z'))),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(TAGGED.extensions, der(SEQUENCE, der(SEQUENCE, der(OBJECT_ID, SUBJECT_ALT_NAME), der(OCTET_STRING, names)))),
  );
  const signature = der(BIT_STRING, Buffer.concat([Buffer.from([0]), sign('sha256', body, privateKey)]));
  const base64 = der(SEQUENCE, body, algorithm, signature).toString('base64').replace(/.{64}/g, '$&\n');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
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
