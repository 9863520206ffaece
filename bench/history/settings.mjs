/** Options of these scenarios: whole numbers by name, and --quick. */
import { parseArgs } from 'node:util';

/**
 * @template {Record<string, number>} T
 * @param {readonly string[]} args @param {T} full defaults; their names are the options @param {Partial<T>} quick what --quick changes
 * @returns {T & { quick: boolean }} @throws {Error} with what would be right
 */
export function readSettings(args, full, quick) {
  const names = Object.keys(full);
  const options = Object.fromEntries(names.map(name => [name, { type: 'string' }]));
  const { values } = parseArgs({
    args: [...args],
    options: { ...options, quick: { type: 'boolean', default: false } },
  });
  const settings = { ...full, ...(values.quick && quick), quick: values.quick };
  for (const name of names) {
    if (values[name] === undefined) continue;
    if (!/^\d{1,6}$/.test(values[name])) throw new Error(`--${name}: expected a whole number, got "${values[name]}".`);
    settings[name] = Number(values[name]);
  }
  return settings;
}

/** A run that hangs all the same is ended. @param {number} seconds */
export function boundTime(seconds) {
  setTimeout(() => {
    console.error(`bench: not done after ${seconds} s; ended.`);
    process.exit(1);
  }, seconds * 1000).unref();
}
