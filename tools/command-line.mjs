/** The command lines of the tools: their arguments, and a run that ends with all its processes. */
import { exitOnSignals } from '@hubbub/tools/kit';
import { InvalidArgumentError } from 'commander';

/** Parses a whole number: `option('--clients <n>', '…', wholeNumber(1, 1000))`. */
export function wholeNumber(min, max) {
  return text => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
  };
}

/** The arguments of this process; npm passes on a `--` that separates its own. */
export function ownArguments() {
  return process.argv.slice(2).filter(argument => argument !== '--');
}

/** Returns the command that repeats this run. @param {string} script such as `npm run bench` */
export function ownCommand(script) {
  const args = ownArguments();
  return args.length === 0 ? script : `${script} -- ${args.join(' ')}`;
}

/** Runs a tool to its end. An error ends it with code 1. @param {string} name @param {import('commander').Command} program */
export async function runTool(name, program) {
  exitOnSignals();
  try {
    await program.parseAsync(ownArguments(), { from: 'user' });
  } catch (error) {
    console.error(`${name}: ${error.message}`);
    process.exitCode = 1;
  }
  process.exit(); // Ends the remaining children.
}

/** Ends a run that hangs. @param {number} seconds */
export function boundTime(seconds) {
  setTimeout(() => {
    console.error(`The run did not finish within ${seconds} s; ended it.`);
    process.exit(1);
  }, seconds * 1000).unref();
}
