/** Arguments of the tools' command lines, for options of commander. */
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
