/** How a command ends, for scripts; `hubbub --help` lists the same. */

import { ConfigError } from '@hubbub/config';
import { HubbubError } from '@hubbub/protocol';
import { CommanderError } from 'commander';

export const EXIT = {
  failed: 1,
  /** As shells have it: the command was called wrongly. */
  usage: 2,
  /** sysexits.h: the configuration is wrong, trying again does not help. */
  config: 78,
} as const;

/** The caller gave a room, a type or a payload that cannot be. */
const CALLERS = ['INVALID_ROOM', 'INVALID_FORMAT', 'INVALID_PAYLOAD', 'TOO_LARGE'];

/** The error of a command that ends with an exit code other than 1. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';

  constructor(
    message: string,
    readonly exitCode: number = EXIT.failed,
  ) {
    super(message);
  }
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigError) return EXIT.config;
  if (error instanceof CommandFailure) return error.exitCode;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage;
  return error instanceof HubbubError && CALLERS.includes(error.code) ? EXIT.usage : EXIT.failed;
}
