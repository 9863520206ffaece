/** The certificate and the key of the public port, read and checked before the engine gets them: it does not report problems. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** Suites of TLS 1.2, in the notation of OpenSSL. */
  readonly ciphers: string;
  /** Called with the end of the certificate's validity whenever the port begins to use one. */
  onCertificate(expiresAtMs: number): void;
}

const CERT_SETTING = 'HUBBUB_TLS_CERT_FILE';
const KEY_SETTING = 'HUBBUB_TLS_KEY_FILE';

/**
 * Returns when the certificate expires, in milliseconds since 1970.
 * @throws {Error} naming the setting, the file and what is wrong with it; never a line of the key
 */
export function checkTlsFiles({ certFile, keyFile }: Pick<TlsFiles, 'certFile' | 'keyFile'>): number {
  const cert = read(CERT_SETTING, certFile);
  const key = read(KEY_SETTING, keyFile);
  attempt(() => createSecureContext({ cert }), `${CERT_SETTING}: ${certFile} is not a certificate (PEM)`);
  attempt(
    () => createSecureContext({ key }),
    `${KEY_SETTING}: ${keyFile} is not a private key (PEM) without passphrase`,
  );
  attempt(
    () => createSecureContext({ cert, key }),
    `${KEY_SETTING}: ${keyFile} is not the key of the certificate in ${certFile}`,
  );
  // The certificate of the port is the first of the chain.
  return Date.parse(new X509Certificate(cert).validTo);
}

function read(setting: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Error(`${setting}: cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function attempt(use: () => unknown, problem: string): void {
  try {
    use();
  } catch {
    throw new Error(`${problem}.`); // Without the cause: OpenSSL's text does not help, and could quote the file.
  }
}
