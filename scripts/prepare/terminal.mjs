/** Words for people, and programs run for them. */
import { spawn } from 'node:child_process';
import { at, ROOT } from './files.mjs';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Progress goes to stderr: stdout belongs to the program that is started in the end. */
export function say(words) {
  console.error(words);
}

export function fail(words, code = 1) {
  say(words);
  process.exit(code);
}

/** Runs a script with this Node, from the root; resolves with its exit code. */
export function runNode(script, args = []) {
  return run(process.execPath, [at(script), ...args]);
}

/** Runs a program, from the root; it gets our signals. Resolves with its exit code. */
export function run(program, args, options = {}) {
  return new Promise(resolve => {
    const child = spawn(program, args, { cwd: ROOT, stdio: 'inherit', ...options });
    const passOn = signal => {
      // Ctrl-C in a terminal reaches the child by itself; a second SIGINT would cut its cleaning up short.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    };
    for (const signal of SIGNALS) process.on(signal, passOn);
    const end = code => {
      for (const signal of SIGNALS) process.off(signal, passOn);
      resolve(code);
    };
    child.once('error', error => {
      say(`${program} cannot be run: ${error.message}`);
      end(1);
    });
    child.once('exit', code => end(code ?? 1));
  });
}

export function secondsSince(startedAt) {
  return `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
}
