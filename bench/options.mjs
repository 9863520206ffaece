/** The command line of a scenario: its own settings by name, and what all have in common. */
import { parseArgs } from 'node:util';

/**
 * Settings are numbers, lists of numbers, or lists of names; what is given as `full` says of which kind each is.
 * @template {Record<string, number | readonly number[] | readonly string[]>} T
 * @param {readonly string[]} args @param {T} full defaults; their names are the options @param {Partial<T>} quick what --quick changes
 * @returns {T & { quick: boolean, profile: boolean }} @throws {Error} with what would be right
 */
export function readSettings(args, full, quick) {
  const names = Object.keys(full);
  const flag = { type: 'boolean', default: false };
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...Object.fromEntries(names.map(name => [name, { type: 'string' }])),
      quick: flag,
      profile: flag,
    },
  });
  const settings = { ...full, ...(values.quick && quick), quick: values.quick, profile: values.profile };
  for (const name of names) {
    if (values[name] !== undefined) settings[name] = readSetting(name, values[name], full[name]);
  }
  return settings;
}

function readSetting(name, text, example) {
  if (!Array.isArray(example)) return wholeNumber(name, text);
  const items = text.split(',');
  return typeof example[0] === 'number' ? items.map(item => wholeNumber(name, item)) : items;
}

function wholeNumber(name, text) {
  if (/^\d{1,7}$/.test(text)) return Number(text);
  throw new Error(`--${name}: expected a whole number, got "${text}".`);
}

/** @param {Record<string, { name: string, description: string, full?: object }>} scenarios @returns {string} */
export function usage(scenarios) {
  const lines = Object.values(scenarios).map(({ name, description, full = {} }) => {
    const options = Object.entries(full).map(([key, value]) => `--${key} ${value}`);
    return `  ${name.padEnd(16)} ${description}\n  ${''.padEnd(16)}   ${options.join(' ')}`;
  });
  return `npm run bench [scenario] -- [options]

Scenarios, with their options and what these are by default:
${lines.join('\n')}

Of all:
  --quick      one short round: whether everything works, not how fast; writes no report
  --profile    CPU profiles of the relays to bench/profiles; writes no report
  --relays a,b the first is what the others are measured against
  --rounds n   measured rounds   --seconds n   length of the measured window   --patience s   how long each measurement
               waits for a quiet machine; 0: a disturbed measurement is not repeated either`;
}
