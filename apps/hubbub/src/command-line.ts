/** The forms of arguments, the line that reports wrong use, and the exit codes: for the commands of Hubbub and its tools. */
import { ConfigError } from '@hubbub/config';
import { HubbubError } from '@hubbub/protocol';
import { type Command, CommanderError, InvalidArgumentError } from 'commander';

/** How a command ends, for scripts; `hubbub --help` lists the same. */
export const EXIT = {
  failed: 1,
  /** As shells have it: the command was called wrongly. */
  usage: 2,
  /** sysexits.h: the configuration is wrong, trying again does not help. */
  config: 78,
} as const;

/** The caller gave a room, a type or a payload that cannot be. */
const CALLERS = ['INVALID_ROOM', 'INVALID_FORMAT', 'INVALID_PAYLOAD', 'TOO_LARGE'];

/** A failure whose message is all that the user needs. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';

  constructor(
    message: string,
    readonly exitCode: number = EXIT.failed,
  ) {
    super(message);
  }
}

/** @param help the command that explains the right use */
export function wrongUse(problem: string, help: string): CommandFailure {
  return new CommandFailure(`${problem}; see: ${help} --help`, EXIT.usage);
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigError) return EXIT.config;
  if (error instanceof CommandFailure) return error.exitCode;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage;
  return error instanceof HubbubError && CALLERS.includes(error.code) ? EXIT.usage : EXIT.failed;
}

/** Makes wrong use of a command, and of those below it, a failure of one line: the mistake, what is allowed, the help. */
export function reportUsage(command: Command, path = command.name()): void {
  command
    .showSuggestionAfterError(false)
    .configureOutput({ outputError: () => {} })
    .exitOverride(error => {
      // Help and version were printed.
      if (error.exitCode === 0 || error.code === 'commander.help') throw error;
      const problem = error.message.replace(/^error: /, '').replace(/\.$/, '');
      throw wrongUse([problem, ...allowedInstead(error.code, command)].join('; '), path);
    });
  for (const own of command.commands) reportUsage(own, `${path} ${own.name()}`);
}

/** Commander names the mistake only; other errors than these name the right form too. */
function allowedInstead(code: string, command: Command): string[] {
  const usage = `usage: ${command.name()} ${command.usage()}`;
  const list = (commands: readonly Command[]) => `commands: ${commands.map(own => own.name()).join(', ')}`;
  switch (code) {
    case 'commander.unknownOption': {
      const options = command.options.filter(({ hidden }) => !hidden).map(({ long, flags }) => long ?? flags);
      return [`options: ${[...options, '--help'].sort().join(', ')}`];
    }
    case 'commander.unknownCommand':
      return [list(command.commands)];
    case 'commander.excessArguments': {
      // The default command receives a name that is not a command.
      const siblings = command.parent?.commands ?? [];
      return siblings.length > 1 ? [usage, list(siblings)] : [usage];
    }
    case 'commander.missingArgument':
      return [usage];
    default:
      return [];
  }
}

/** Parses a whole number. @example option('--port <n>', 'the port', wholeNumber(0, 65_535)) */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return text => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
  };
}

const DAY_MS = 86_400_000;
const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: DAY_MS,
  w: 7 * DAY_MS,
  y: 365.25 * DAY_MS,
};

/** Parses a duration up to `maxMs`. @example durationMs()('10s') === 10_000 */
export function durationMs(maxMs = Number.POSITIVE_INFINITY): (text: string) => number {
  return text => {
    const [, amount = '', unit = ''] = /^(\d+) ?(ms|s|m|h|d|w|y)$/.exec(text) ?? [];
    const ms = Number(amount) * (UNITS_MS[unit] ?? 0);
    if (ms > 0 && ms <= maxMs) return ms;
    const bound = maxMs === Number.POSITIVE_INFINITY ? '' : `, at most ${Math.floor(maxMs / DAY_MS)} days`;
    throw new InvalidArgumentError(`Expected a duration such as 500ms, 15m, 1h or 7d${bound}.`);
  };
}
