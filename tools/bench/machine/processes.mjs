/** Starts the processes of a run, pinned where possible, and ends them by their pid even if the run fails. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const KILL_AFTER_MS = 5000;
const LAST_WORDS_BYTES = 2000;

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
])
  process.on(signal, () => process.exit(code));

/**
 * @typedef {object} StartOptions
 * @property {string} name for errors
 * @property {string} [cpus] such as `0` or `1-3`; unset: anywhere
 * @property {NodeJS.ProcessEnv} [env]
 * @property {string} [cwd]
 * @property {boolean} [ipc]
 */

/** @param {string} command @param {readonly string[]} args @param {StartOptions} options */
export function start(command, args, { name, cpus, env = process.env, cwd, ipc = false }) {
  const pinned = cpus === undefined ? [command, ...args] : ['taskset', '-c', cpus, command, ...args];
  const stdio = ['ignore', 'pipe', 'pipe', ...(ipc ? ['ipc'] : [])];
  const child = spawn(pinned[0], pinned.slice(1), { stdio, env, cwd });
  running.add(child);
  child.once('exit', () => running.delete(child));
  child.once('error', error => {
    running.delete(child);
    child.lastWords = `${name}: ${error.message}`;
  });
  child.lastWords = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', text => {
      child.lastWords = (child.lastWords + text).slice(-LAST_WORDS_BYTES);
    });
  }
  return child;
}

/** @param {readonly string[]} args @param {StartOptions} options */
export function startNode(args, options) {
  return start(process.execPath, args, options);
}

/**
 * Resolves with the first result of `read` that is not `undefined`; `read` gets each line of output.
 * @template T @param {import('node:child_process').ChildProcess} child @param {(line: string) => T | undefined} read
 * @param {{ name: string, withinMs?: number }} options @returns {Promise<T>}
 */
export function lineOf(child, read, { name, withinMs = 15_000 }) {
  return new Promise((resolve, reject) => {
    const fail = why => reject(new Error(`${name} ${why}. Its last words:\n${child.lastWords}`));
    const timer = setTimeout(() => fail(`did not start within ${withinMs} ms`), withinMs);
    let rest = '';
    child.stdout.on('data', text => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines) {
        const value = read(line);
        if (value === undefined) continue;
        clearTimeout(timer);
        resolve(value);
      }
    });
    child.once('error', () => fail('could not be started'));
    child.once('exit', code => {
      clearTimeout(timer);
      fail(`ended with code ${code}`);
    });
  });
}

/** Ends the process with SIGTERM, and with SIGKILL if that is too slow. @param {import('node:child_process').ChildProcess} child */
export async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
  await ended;
  clearTimeout(timer);
}

/** Ends a run that hangs. @param {number} seconds */
export function boundTime(seconds) {
  setTimeout(() => {
    console.error(`bench: the run did not finish within ${seconds} s; ended it.`);
    process.exit(1);
  }, seconds * 1000).unref();
}
