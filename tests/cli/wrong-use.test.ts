/** Wrong use of a command or a script ends with 2 and one line: the mistake, and what is allowed. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runHubbub } from '../support/process.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const ROOMS = 'usage: publish [options] <room> <type> [payload]';

test.each([
  ['configure', "unknown command 'configure'; commands: start, edge, presence, api, webhooks, console, token,"],
  ['--prot 1', "unknown option '--prot'; options: --help, --version; see: hubbub --help"],
  ['start --prot 1', "unknown option '--prot'; options: --admin-port, --help, --port; see: hubbub start --help"],
  ['start --port 70000', "argument '70000' is invalid. Expected a whole number from 0 to 65535; see: hubbub start"],
  ['start --port', "option '--port <n>' argument missing; see: hubbub start --help"],
  ['start now', "too many arguments for 'start'. Expected 0 arguments but got 1; usage: start [options]; see: hubbub"],
  ['edge --workers 0', "argument '0' is invalid. Expected a whole number from 1 to 256; see: hubbub edge --help"],
  ['edge --as-workr', "unknown option '--as-workr'; options: --help, --workers; see: hubbub edge --help"],
  ['presence --help-me', "unknown option '--help-me'; options: --help; see: hubbub presence --help"],
  ['api --port 1', "unknown option '--port'; options: --help; see: hubbub api --help"],
  ['token', "required option '--user <id>' not specified; see: hubbub token --help"],
  ['token --user u1 --ttl soon', "argument 'soon' is invalid. Expected a duration such as 500ms, 15m, 1h or 7d; see:"],
  ['publish', `missing required argument 'words'; ${ROOMS}; see: hubbub publish --help`],
  [
    'publish --room r',
    "unknown option '--room'; options: --all, --help, --id, --idempotency-key, --json, --user; see:",
  ],
  [
    'tail r --duration 60d',
    'Expected a duration such as 500ms, 15m, 1h or 7d, at most 24 days; see: hubbub tail --help',
  ],
  ['rooms --min-count many', "argument 'many' is invalid. Expected a whole number from 0 to 999999999; see: hubbub"],
  ['who', "missing required argument 'room'; usage: who [options] <room>; see: hubbub who --help"],
  ['doctor --loud', "unknown option '--loud'; options: --help, --json, --strict; see: hubbub doctor --help"],
  ['config chekc', "unknown command 'chekc'; commands: print, check, docs; see: hubbub config --help"],
  ['config print --yaml', "unknown option '--yaml'; options: --help, --json; see: hubbub config print --help"],
])('hubbub %s', async (args, line) => {
  const { code, stdout, stderr } = await runHubbub(args.split(' '));
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^hubbub: [^\n]+; see: hubbub[^\n]* --help\n$/);
  expect(stderr).toContain(line);
});

test.each([
  [
    'start --prot 1',
    "hubbub: unknown option '--prot'; options: --admin-port, --help, --port; see: hubbub start --help",
  ],
  ['test --bad', 'npm test --: Unknown option `--bad`; allowed: names of test files, and the options that npx vitest'],
  ['test --reporter=nope', 'npm test --: Failed to load custom Reporter from nope; allowed: names of test files, and'],
  ['build --bad', "npm run build: Unknown option '--bad'; expected no arguments"],
  ['build everything', "npm run build: Unexpected argument 'everything'; expected no arguments"],
  ['audit --bad', "npm run audit: Unknown option '--bad'; expected no arguments"],
  ['dashboards --bad', "npm run dashboards: Unknown option '--bad'; expected no arguments"],
  ['pack --into x', "npm run pack --: Unknown option '--into'; options: --to <value>"],
  ['pack --to', "npm run pack --: Option '--to <value>' argument missing; options: --to <value>"],
  ['release --dry', "npm run release --: Unknown option '--dry'; options: --dry-run"],
  [
    'run examples/dist/start.js nope',
    "error: command-argument value 'nope' is invalid for argument 'name'. Allowed choices are voting-room, pairwise-",
  ],
  [
    'run examples/dist/start.js chat --prot 1',
    "error: unknown option '--prot'; usage: npm run example -- <name> [--redis] [--network] [--port <n>]",
  ],
  [
    'run examples/dist/start.js chat --port 70000',
    "argument '70000' is invalid. Expected a whole number from 0 to 65535; usage: npm run example -- <name>",
  ],
  ['../tools/fuzz/run --bad', "fuzz: unknown option '--bad'; options: --embedded, --from, --help, --inputs, --minutes"],
  ['../tools/fuzz/run churn --clients 0', "'0' is invalid. Expected a whole number from 1 to 15000; see: npm run fuzz"],
  [
    '../tools/bench/run no-such',
    "bench: too many arguments for 'big-room'. Expected 0 arguments but got 1; usage: big",
  ],
  [
    '../tools/bench/scale/run --edges 1',
    "'1' is invalid. Expected a whole number from 3 to 500; see: npm run scale --",
  ],
  ['../k6/run no-such', "k6: unknown command 'no-such'; commands: smoke, steady-chat, ramp, reconnect-storm, spike"],
  ['prose no/such/path', 'scripts/prose.mjs: no such path: no/such/path; arguments: files and folders, from the root'],
])('scripts/%s', (command, line) => {
  const [script, ...args] = command.split(' ');
  const run = spawnSync(process.execPath, [`scripts/${script}.mjs`, ...args], { cwd: ROOT, encoding: 'utf8' });
  expect({ code: run.status, stdout: run.stdout }).toEqual({ code: 2, stdout: '' });
  expect(run.stderr).toMatch(/^[^\n]+\n$/);
  expect(run.stderr).toContain(line);
});
