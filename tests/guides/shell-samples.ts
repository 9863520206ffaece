/** Checks shell samples: their grammar, and the settings, npm scripts and commands of Hubbub that they name. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type Command, CommanderError } from 'commander';
import { unknownSettingsIn } from '../deploy/support/settings.js';

const MANIFEST = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  scripts: object;
};
const SCRIPTS: ReadonlySet<string> = new Set(Object.keys(MANIFEST.scripts));
/** `hubbub token --user u1` behind npx, docker or kubectl: words, and words in quotes. */
const HUBBUB_CALL = /(?:npx|exec edge-1|--|\(|^) hubbub((?: (?:'[^']*'|"[^"]*"|[^\s'"#;&|)>]+))*)/gm;

/** Describes each problem of a shell sample. */
export async function shellProblems(code: string): Promise<string[]> {
  const { stderr } = spawnSync('sh', ['-n'], { input: code, encoding: 'utf8' });
  const scripts = [...code.matchAll(/\bnpm (?:run (\S+)|(start|test)\b)/g)].map(([, run, named]) => run ?? named ?? '');
  const calls = [...code.matchAll(HUBBUB_CALL)].map(([, words = '']) => wordsOf(words));
  return [
    ...(stderr === '' ? [] : [stderr.trim()]),
    ...unknownSettingsIn(code).map(name => `There is no setting ${name}.`),
    ...scripts.filter(name => !SCRIPTS.has(name)).map(name => `There is no script ${name}.`),
    ...(await Promise.all(calls.map(callProblem))).flat(),
  ];
}

function wordsOf(text: string): string[] {
  return [...text.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? '',
  );
}

/** Has the command line parse a call without executing it. */
async function callProblem([name = '', ...words]: readonly string[]): Promise<string[]> {
  if (name.startsWith('-')) return [];
  try {
    const module = (await import(`../../apps/hubbub/src/commands/${name}.ts`)) as Record<string, () => Command>;
    const command = module[`${name}Command`]?.();
    if (command === undefined) return [`hubbub ${name} is not a command.`];
    for (const one of [command, ...command.commands])
      one
        .exitOverride()
        .configureOutput({ writeErr() {} })
        .action(() => {});
    await command.parseAsync(words, { from: 'user' });
    return [];
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return []; // Its help.
    return [`hubbub ${name} ${words.join(' ')}: ${error instanceof Error ? error.message : error}`];
  }
}
