/** How a failure of Redis looks to the rest of Hubbub. */
import { HubbubError } from '@hubbub/protocol';

const REFUSALS: readonly (readonly [code: string, meaning: string])[] = [
  ['OOM', 'Redis is full (OOM) and refuses writes.'],
  ['READONLY', 'Redis is a read-only replica and refuses writes.'],
  ['LOADING', 'Redis is loading its data.'],
  ['MISCONF', 'Redis cannot save its data (MISCONF) and refuses writes.'],
  ['NOPERM', 'The Redis user may not run this command (NOPERM).'],
];

/** Why Redis did not do what was asked, for people. */
export function describeRefusal(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : '';
  return REFUSALS.find(([code]) => message.includes(code))?.[1] ?? 'Redis does not answer, or refuses the command.';
}

/**
 * Runs a command that publishes or appends: it must not be executed twice by accident.
 * @throws {HubbubError} `UNAVAILABLE` where Redis surely did not execute it, else `OUTCOME_UNKNOWN`; the cause is kept.
 *   An error of Hubbub itself stays as it is.
 */
export async function orOutcomeUnknown<T>(command: () => Promise<T>): Promise<T> {
  try {
    return await command();
  } catch (cause) {
    if (cause instanceof HubbubError) throw cause;
    if (isNotExecuted(cause)) throw new HubbubError('UNAVAILABLE', describeRefusal(cause), { cause });
    throw new HubbubError('OUTCOME_UNKNOWN', 'Redis did not answer; it may have executed the command.', { cause });
  }
}

/** The message of ioredis when it has no connection to write to. */
const NOT_WRITTEN = "Stream isn't writeable";

/** Never written, or answered with an error by Redis: our scripts fail before their first write, or not at all. */
function isNotExecuted(error: unknown): boolean {
  return error instanceof Error && (error.name === 'ReplyError' || error.message.startsWith(NOT_WRITTEN));
}

/** Runs a command; whatever Redis or the connection throws becomes `UNAVAILABLE`, with the cause kept. */
export async function orUnavailable<T>(command: () => Promise<T>): Promise<T> {
  try {
    return await command();
  } catch (cause) {
    if (cause instanceof HubbubError) throw cause;
    throw new HubbubError('UNAVAILABLE', describeRefusal(cause), { cause });
  }
}
