/** The command lines of the tools: their arguments, and a run that ends with all its processes. */
import { exitOnSignals } from '@hubbub/tools/kit';
import { CommanderError } from 'commander';
import { exitCodeOf, reportUsage } from '../apps/hubbub/dist/command-line.js';

export { wholeNumber } from '../apps/hubbub/dist/command-line.js';

/** The arguments of this process; npm passes on a `--` that separates its own. */
export function ownArguments() {
  return process.argv.slice(2).filter(argument => argument !== '--');
}

/** Returns the command that repeats this run. @param {string} script such as `npm run bench` */
export function ownCommand(script) {
  const args = ownArguments();
  return args.length === 0 ? script : `${script} -- ${args.join(' ')}`;
}

/** Runs a tool to its end. An error is one line; it ends the tool with 1, wrong use with 2. @param {string} name @param {import('commander').Command} program */
export async function runTool(name, program) {
  exitOnSignals();
  reportUsage(program);
  try {
    await program.parseAsync(ownArguments(), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) console.error(`${name}: ${error.message}`);
    process.exitCode = exitCodeOf(error);
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
