/** Wrong use of a command ends with 2 and one line: the mistake, what is allowed, and the help. */
import { expect, test } from 'vitest';
import { runHubbub } from '../support/process.js';

const ROOMS = 'usage: publish [options] <room> <type> [payload]';

test.each([
  ['configure', "unknown command 'configure'; commands: start, edge, presence, api, token, publish, tail,"],
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
