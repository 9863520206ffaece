/** The configuration of commands that verify and sign no tokens: they run beside processes that have no key of tokens. */
import { type Config, loadConfig } from '@hubbub/config';

/** @throws {ConfigError} */
export function loadCommandConfig(): Config {
  return loadConfig(undefined, { verifiesTokens: false });
}
