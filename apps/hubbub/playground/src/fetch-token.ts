/** Gets a token for a name from the server that served the page. */
import { type ErrorCode, HubbubError } from '@hubbub/client';
import { isErrorCode } from '@hubbub/protocol';

/**
 * The same name is the same user, so that two tabs show what several sessions of one user do.
 * @throws {HubbubError} the server's error. @throws {TypeError} when it does not answer: the SDK retries.
 */
export async function fetchToken(name: string): Promise<string> {
  const query = new URLSearchParams({ user: userIdOf(name), name });
  const response = await fetch(`/playground/token?${query}`);
  const answer: unknown = await response.json();
  const { token, code, message } = answer as Partial<Record<string, unknown>>;
  if (response.ok && typeof token === 'string') return token;
  const known: ErrorCode = isErrorCode(code) ? code : 'UNAUTHORIZED';
  throw new HubbubError(known, typeof message === 'string' ? message : 'The server gave no token.');
}

/** @example userIdOf('Ada Lovelace') === 'ada-lovelace' */
export function userIdOf(name: string): string {
  return name.trim().normalize('NFC').toLowerCase().replace(/\s+/g, '-');
}
