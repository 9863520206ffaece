/** The arguments of the scripts that need nothing installed. */
import { parseArgs } from 'node:util';
import { fail } from './terminal.mjs';

const WRONG_USE = 2;

/**
 * Returns the values of the options. Wrong use ends the process with one line: the mistake, and what is allowed.
 * @param {string} script such as `npm run pack` @param {import('node:util').ParseArgsConfig['options']} options
 */
export function readOptions(script, options = {}) {
  const args = process.argv.slice(2).filter(argument => argument !== '--'); // npm passes on the one that separates its own.
  const names = Object.entries(options).map(([name, { type }]) => `--${name}${type === 'string' ? ' <value>' : ''}`);
  try {
    return parseArgs({ args, options }).values;
  } catch ({ message }) {
    const [mistake] = message.split('. ');
    refuseUse(script, `${mistake}; ${names.length === 0 ? 'expected no arguments' : `options: ${names.join(', ')}`}`);
  }
}

/** @returns {never} */
export function refuseUse(script, problem) {
  fail(`${script}: ${problem}`, WRONG_USE);
}
