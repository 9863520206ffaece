/** How a failure of Redis looks to the rest of Hubbub. */
import { HubbubError } from '@hubbub/protocol';

/** Runs a command; whatever Redis or the connection throws becomes `UNAVAILABLE`, with the cause kept. */
export async function orUnavailable<T>(command: () => Promise<T>): Promise<T> {
  try {
    return await command();
  } catch (cause) {
    throw new HubbubError('UNAVAILABLE', 'Redis does not answer, or refuses.', { cause });
  }
}
