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
  return REFUSALS.find(([code]) => message.includes(code))?.[1] ?? 'Redis does not answer, or refuses.';
}

/** Runs a command; whatever Redis or the connection throws becomes `UNAVAILABLE`, with the cause kept. */
export async function orUnavailable<T>(command: () => Promise<T>): Promise<T> {
  try {
    return await command();
  } catch (cause) {
    throw new HubbubError('UNAVAILABLE', describeRefusal(cause), { cause });
  }
}
