/** hubbub doctor: checks the machine, the settings, Redis and presence, and suggests changes. */
import { type Config, loadConfig } from '@hubbub/config';
import { Command } from 'commander';
import { EXIT } from '../command-line.js';
import type { Check, Verdict } from '../doctor/check.js';
import { engineBuild, kernelSettings, nodeVersion, openFiles } from '../doctor/machine.js';
import { neighbors } from '../doctor/neighbors.js';
import { redisServers } from '../doctor/redis-servers.js';
import { admission, presence } from '../doctor/settings.js';
import { coloured, harmless, printJson, printLine } from '../printing.js';

const COLOURS = { ok: 'green', warn: 'yellow', fail: 'red' } as const satisfies Record<Verdict, string>;

interface DoctorOptions {
  readonly json?: boolean;
  readonly strict?: boolean;
}

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Checks the machine, the settings and their servers, and suggests changes.')
    .option('--json', 'as one JSON document')
    .option('--strict', 'warnings count as failures')
    .addHelpText(
      'after',
      `
Run it where the edges run, with their settings. It changes nothing. Each check ends with
  ok      nothing to do
  warn    it works, but not under load, or not for everybody
  fail    it does not work, or loses messages
and, but for ok, with the command to change it. It ends with 1 where a check fails.

Example:
  $ HUBBUB_REDIS_URL=redis://127.0.0.1:6379 hubbub doctor --strict`,
    )
    .action(async ({ json = false, strict = false }: DoctorOptions) => {
      const checks: Check[] = [];
      for await (const check of allChecks(loadConfig())) {
        checks.push(check);
        if (!json) tell(check);
      }
      const count = (verdict: Verdict) => checks.filter(check => check.verdict === verdict).length;
      const healthy = count('fail') === 0 && (!strict || count('warn') === 0);
      if (json) printJson({ ok: healthy, checks });
      else printLine(`\n${count('ok')} ok, ${count('warn')} to consider, ${count('fail')} to change`);
      if (!healthy) process.exitCode = EXIT.failed;
    });
}

/** Immediate results come first. */
async function* allChecks(config: Config): AsyncGenerator<Check> {
  yield nodeVersion();
  yield engineBuild();
  yield openFiles();
  yield* await kernelSettings(config);
  yield* admission(config);
  yield* await neighbors(config);
  yield* redisServers(config);
  yield* await presence(config);
}

function tell({ name, verdict, found, change }: Check): void {
  printLine(`${coloured(COLOURS[verdict], verdict.padEnd(4))}  ${name}: ${harmless(found)}`);
  if (change !== undefined) for (const line of change.split('\n')) printLine(`      ${line}`);
}
