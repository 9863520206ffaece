/** The certificates of TLS connections to Redis. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';

/** Paths of PEM files. The certificate and the key are those of the client: both, or neither. */
export interface RedisCertificateFiles {
  /** Authorities that the servers' certificates are checked against, in place of those of Node. */
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

/** PEM, as `tls.connect` takes it. */
export interface RedisCertificates {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/**
 * Reads the files once; a process that should use renewed ones restarts.
 *
 * @param nameOf a file's name in errors, such as its setting
 * @throws {TypeError} naming the file that is missing, unreadable or not PEM; it never quotes the content
 */
export function readRedisCertificates(
  { caFile, certFile, keyFile }: RedisCertificateFiles,
  nameOf: (file: keyof RedisCertificateFiles) => string,
): RedisCertificates {
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new TypeError(`${nameOf('certFile')} and ${nameOf('keyFile')}: expected both, or none`);
  }
  const ca = caFile === undefined ? undefined : read(nameOf('caFile'), caFile);
  const cert = certFile === undefined ? undefined : read(nameOf('certFile'), certFile);
  const key = keyFile === undefined ? undefined : read(nameOf('keyFile'), keyFile);
  if (ca) attempt(() => new X509Certificate(ca), `${nameOf('caFile')}: ${caFile} is not a certificate (PEM)`);
  if (cert) attempt(() => new X509Certificate(cert), `${nameOf('certFile')}: ${certFile} is not a certificate (PEM)`);
  if (cert && key) {
    const problem = `${nameOf('keyFile')}: ${keyFile} is not the private key (PEM, without passphrase) of ${certFile}`;
    attempt(() => createSecureContext({ cert, key }), problem);
  }
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}

function read(name: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new TypeError(`${name}: cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function attempt(use: () => unknown, problem: string): void {
  try {
    use();
  } catch {
    throw new TypeError(problem); // The cause could quote the file.
  }
}
