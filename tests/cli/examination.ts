/** Runs `hubbub doctor` and reads its report. */
import { runHubbub } from '../support/process.js';

interface Check {
  readonly name: string;
  readonly verdict: string;
  readonly found: string;
  readonly change?: string;
}

export async function examine(env: Readonly<Record<string, string>>, ...flags: string[]) {
  const { code, stdout, stderr } = await runHubbub(['doctor', '--json', ...flags], env);
  const { ok, checks }: { ok: boolean; checks: Check[] } = JSON.parse(stdout);
  return { code, ok, stdout, stderr, checks, of: (name: string) => checks.find(check => check.name === name) };
}
