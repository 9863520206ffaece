/** Public keys in files: read once at the start, and complained about by the name of the file. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { publicKey, type RsaAlgorithm, type VerificationKey } from './verification-key.js';

const BEGIN = /-----BEGIN ([A-Z0-9 ]+)-----/g;

/**
 * The key of each file: a public key, or a certificate, of which the first counts where others follow as its chain.
 * @param problems gets one line for each file that holds none
 */
export function readPublicKeyFiles(
  files: readonly string[],
  rsaAlgorithm: RsaAlgorithm,
  problems: string[],
): VerificationKey[] {
  return files.flatMap(file => {
    try {
      return [publicKey(readPem(file), rsaAlgorithm)];
    } catch (error) {
      problems.push(`HUBBUB_JWT_PUBLIC_KEY_FILES: ${file}: ${error instanceof Error ? error.message : String(error)}`);
      return [];
    }
  });
}

function readPem(file: string): KeyObject {
  const pem = readFileSync(file, 'utf8');
  const labels = Array.from(pem.matchAll(BEGIN), ([, label]) => label ?? '');
  // Node would take its public half; but a file like this has no business on an edge.
  if (labels.some(label => label.endsWith('PRIVATE KEY'))) {
    throw new Error('a private key; an edge only verifies: give it the public one (openssl pkey -pubout)');
  }
  const [label] = labels;
  if (label === undefined) throw new Error('not PEM; expected a public key or a certificate');
  if (label !== 'CERTIFICATE' && labels.length > 1) throw new Error('several keys; expected one for each file');
  try {
    return createPublicKey(pem);
  } catch {
    // The library's words are about ASN.1.
    throw new Error(`a ${label} that cannot be read; expected a public key or a certificate`);
  }
}
