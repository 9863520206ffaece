/** Secrets in files of their own: a setting that holds one may be given as `<NAME>_FILE`, the path of a file with its value. */
import { readFileSync } from 'node:fs';
import { trimEndOf } from '@hubbub/protocol';
import type { z } from 'zod';
import { environmentName, settingNames, settingsSchema } from './settings/settings.js';

type Values = Readonly<Record<string, unknown>>;

export interface SecretFiles {
  /** The given values, with the content of each file in place of its path. */
  readonly values: Record<string, unknown>;
  /** The path of each setting that a file holds, readable or not. */
  readonly paths: ReadonlyMap<string, string>;
  /** Settings whose file could not be read: their value is unknown. */
  readonly unread: readonly string[];
}

/** Settings whose value may be in a file: secrets, and URLs with a password. */
export function settingsWithFile(): string[] {
  return Object.entries<z.ZodType>(settingsSchema.shape)
    .filter(([, schema]) => schema.meta()?.mayBeFile === true)
    .map(([name]) => name);
}

/** @example fileSettingName('jwtSecret') === 'jwtSecretFile' */
function fileSettingName(setting: string): string {
  return `${setting}File`;
}

/** Every variable that sets a setting, with the setting's name: `HUBBUB_PORT` → `port`, `HUBBUB_JWT_SECRET_FILE` → `jwtSecretFile`. */
export function settingVariables(): ReadonlyMap<string, string> {
  const names = [...settingNames(), ...settingsWithFile().map(fileSettingName)];
  return new Map(names.map(name => [environmentName(name), name]));
}

/** Reads the file of each `<name>File` among the values. Adds unreadable ones, and settings given twice, to `problems`. */
export function readSecretFiles(given: Values, problems: string[]): SecretFiles {
  const values: Record<string, unknown> = { ...given };
  const paths = new Map<string, string>();
  const unread: string[] = [];
  for (const setting of settingsWithFile()) {
    const fileSetting = fileSettingName(setting);
    if (!Object.hasOwn(values, fileSetting)) continue;
    const path = values[fileSetting];
    delete values[fileSetting];
    const variable = environmentName(fileSetting);
    if (typeof path !== 'string' || path === '') {
      problems.push(`${variable}: expected a path such as /run/secrets/${setting}`);
      unread.push(setting);
      continue;
    }
    if (Object.hasOwn(values, setting)) {
      problems.push(`${environmentName(setting)} and ${variable}: expected one of them`);
      continue;
    }
    paths.set(setting, path);
    const content = readSecret(variable, path, problems);
    if (content === undefined) unread.push(setting);
    else values[setting] = content;
  }
  return { values, paths, unread };
}

/** Files end with a line break, which is never part of a secret. */
function readSecret(variable: string, path: string, problems: string[]): string | undefined {
  try {
    return trimEndOf(readFileSync(path, 'utf8'), '\r\n');
  } catch (error) {
    // Its message names the path and the reason, such as EACCES; it never quotes the content.
    problems.push(`${variable}: cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

/**
 * Names the file in a problem of a setting that has its value from there.
 * @example 'HUBBUB_JWT_SECRET: has 5 bytes' becomes 'HUBBUB_JWT_SECRET (in /run/secrets/jwt): has 5 bytes'
 */
export function withSecretPath(problem: string, paths: ReadonlyMap<string, string>): string {
  for (const [setting, path] of paths) {
    const variable = environmentName(setting);
    if (problem.startsWith(`${variable}: `)) return `${variable} (in ${path})${problem.slice(variable.length)}`;
  }
  return problem;
}
