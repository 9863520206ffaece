/** Faults of the edge during admission: it logs them and refuses the client. */
import { HubbubError } from '@hubbub/protocol';
import { type Logger, occasionally } from '@hubbub/runtime';

const LOG_INTERVAL_MS = 10_000;

/** Turns any error into a refusal. An error that is not a {@link HubbubError} is logged, occasionally and without tokens. */
export function createAdmissionFailures(log: Logger): (error: unknown) => HubbubError {
  let failure: unknown;
  const tell = occasionally(LOG_INTERVAL_MS, suppressed =>
    log.error({ event: 'admission_failed', err: redactTokens(failure), suppressed }, 'a request could not be judged'),
  );
  let reason = '';
  const logRefusedToken = occasionally(LOG_INTERVAL_MS, suppressed =>
    log.warn({ event: 'token_refused', reason, suppressed }, 'token refused'),
  );
  return error => {
    if (error instanceof HubbubError) {
      // The message names the claim that is wrong, and never its value.
      if (error.code === 'UNAUTHORIZED') {
        reason = error.message;
        logRefusedToken();
      }
      return error;
    }
    failure = error;
    tell();
    return new HubbubError('UNAVAILABLE', 'This cannot be answered now.');
  };
}

/** Begins where a word begins, and nowhere in it: else each letter of a long word without a dot would begin a search. */
const TOKEN = /(?<![\w-])[\w-]+\.[\w-]{8,}\.[\w-]*/g;

/** The error as text, without tokens: errors of libraries may quote their input. */
function redactTokens(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return text.replace(TOKEN, '[token]');
}
