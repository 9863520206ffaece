/** Reads a key set by HTTP, within bounds of time and size. */
import { fetchText } from '../fetch-text.js';

/** Why there is none: few words, for metrics and logs. */
export type FetchFailure = 'timeout' | 'unreachable' | 'status' | 'too_large' | 'malformed';

export class KeySetUnavailable extends Error {
  /** @param detail the status, or what the system calls it (`ECONNREFUSED`): for logs */
  constructor(
    readonly failure: FetchFailure,
    readonly detail?: string,
  ) {
    super(`The key set could not be read: ${failure}.`);
  }
}

const FETCH_TIMEOUT_MS = 5000;
const KEY_SET_MAX_BYTES = 262_144;

/**
 * The body of a 200. Redirects are not followed: only the server at the configured address is trusted.
 * @throws {KeySetUnavailable}
 */
export async function fetchKeySet(url: string, stop: AbortSignal, timeoutMs = FETCH_TIMEOUT_MS): Promise<string> {
  const timeout = AbortSignal.timeout(timeoutMs); // For the whole answer, also one that trickles in.
  try {
    const headers = { accept: 'application/jwk-set+json, application/json' };
    const init: RequestInit = { redirect: 'manual', signal: AbortSignal.any([timeout, stop]), headers };
    return await fetchText(url, init, KEY_SET_MAX_BYTES, (reason, status) =>
      reason === 'status' ? new KeySetUnavailable(reason, String(status)) : new KeySetUnavailable(reason),
    );
  } catch (error) {
    if (error instanceof KeySetUnavailable) throw error;
    throw timeout.aborted ? new KeySetUnavailable('timeout') : new KeySetUnavailable('unreachable', systemCode(error));
  }
}

/** Not the message: it may quote the URL, which may hold what opens it. */
function systemCode(error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}
