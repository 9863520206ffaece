/** hubbub config: effective settings with their sources, problems, and the settings' page of the documentation. */
import {
  ConfigError,
  type ConfigWarning,
  type EffectiveSetting,
  effectiveSettings,
  type LoadOptions,
  loadConfig,
} from '@hubbub/config';
import { Command } from 'commander';
import { loadCommandConfig } from '../command-config.js';
import { EXIT } from '../command-line.js';
import { coloured, harmless, printJson, printLine, printTable } from '../printing.js';
import { settingsDocument } from '../settings-document.js';

interface Output {
  readonly json?: boolean;
}

interface CheckOptions extends Output {
  /** False with --no-tokens. */
  readonly tokens: boolean;
}

export function configCommand(): Command {
  return new Command('config')
    .description('Shows the settings, checks them, or writes their documentation.')
    .addHelpText('after', '\nExample:\n  $ HUBBUB_CONFIG=hubbub.yaml hubbub config check && hubbub edge')
    .addCommand(printCommand())
    .addCommand(checkCommand())
    .addCommand(docsCommand());
}

function printCommand(): Command {
  return new Command('print')
    .description('Prints every setting in effect and where it comes from: default, file or environment.')
    .option('--json', 'as one JSON document')
    .addHelpText(
      'after',
      `
Secrets, and the passwords of URLs, are shown as •••.

Example:
  $ HUBBUB_PORT=9000 hubbub config print | grep -v ' default '`,
    )
    .action(({ json = false }: Output) => {
      const settings = effectiveSettings(loadCommandConfig());
      if (json) return printJson({ settings: settings.map(setting => ({ ...setting, value: setting.value ?? null })) });
      printTable([['setting', 'source', 'value'], ...settings.map(rowOf)]);
    });
}

function rowOf({ name, source, path, value }: EffectiveSetting): string[] {
  const text = value === undefined ? '(unset)' : typeof value === 'string' ? value : JSON.stringify(value);
  return [name, source, harmless(path === undefined ? text : `${text} (in ${path})`)];
}

function checkCommand(): Command {
  return new Command('check')
    .description('Checks whether a process would start with these settings, and names every problem.')
    .option('--no-tokens', 'for presence, api, webhooks and console, which need no key of tokens')
    .option('--json', 'as one JSON document')
    .addHelpText(
      'after',
      `
Ends with 0, or with 78 where there is a problem. Warnings name settings to change before production.

Example:
  $ NODE_ENV=production HUBBUB_CONFIG=hubbub.yaml hubbub config check`,
    )
    .action(({ json = false, tokens }: CheckOptions) => {
      const { problems, warnings } = examine({ verifiesTokens: tokens });
      if (problems.length > 0) process.exitCode = EXIT.config;
      if (json) return printJson({ ok: problems.length === 0, problems, warnings });
      if (problems.length === 0) printLine('The configuration is valid.');
      for (const problem of problems) printLine(`${coloured('red', 'wrong')}  ${harmless(problem)}`);
      for (const { name, message, change } of warnings) {
        printLine(`${coloured('yellow', 'warn')}   ${name}: ${harmless(message)}\n       ${change}`);
      }
    });
}

interface Examination {
  readonly problems: readonly string[];
  readonly warnings: readonly ConfigWarning[];
}

function examine(options: LoadOptions): Examination {
  try {
    return { problems: [], warnings: loadConfig(undefined, options).warnings };
  } catch (error) {
    if (error instanceof ConfigError) return { problems: error.problems, warnings: [] };
    throw error;
  }
}

function docsCommand(): Command {
  return new Command('docs')
    .description('Prints the page of all settings, as Markdown.')
    .addHelpText('after', '\nExample:\n  $ hubbub config docs > docs/settings.md')
    .action(() => {
      process.stdout.write(settingsDocument());
    });
}
