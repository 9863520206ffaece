/** Where the values of settings come from: the environment, and the file that it names. */
import { readFileSync } from 'node:fs';
import { trimEndOf } from '@hubbub/protocol';
import { parse as parseYaml, YAMLError } from 'yaml';
import { readSecretFiles, settingVariables } from './secret-files.js';
import { environmentName } from './settings/settings.js';

/** Later ones go over earlier ones. */
export type SettingSource = 'default' | 'file' | 'environment';

export interface GivenSettings {
  /** Empty where there is none; `undefined` where there is one that could not be read. */
  readonly file: Readonly<Record<string, unknown>> | undefined;
  readonly environment: Readonly<Record<string, unknown>>;
  /** Values that were changed before use. */
  readonly cleaned: CleanedValues;
  /** Settings in effect whose value is in a file of its own, and the path. */
  readonly secretPaths: ReadonlyMap<string, string>;
  /** Settings in such a file that could not be read: their value is unknown. */
  readonly unread: readonly string[];
}

export interface CleanedValues {
  /** Variables, or settings of the file, that lost a line break at their end. */
  readonly lineBreaks: readonly string[];
  /** Variables that Kubernetes sets for a Service. */
  readonly serviceLinks: readonly string[];
}

const FILE_VARIABLE = 'HUBBUB_CONFIG';
/** The prefix of settings, without the variables of the tests. */
const OURS = /^HUBBUB_(?!TEST_)/;

const SERVICE_LINK = /^_(SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;

/** The given settings, unchecked; unreadable or unknown ones are added to `problems`. */
export function givenSettings(environment: NodeJS.ProcessEnv, problems: string[]): GivenSettings {
  const links = serviceLinks(environment);
  const variables = Object.fromEntries(Object.entries(environment).filter(([name]) => !links.has(name)));
  const file = readConfigFile(variables[FILE_VARIABLE], problems);
  const lineBreaks: string[] = [];
  const ofFile = readSecretFiles(
    file === undefined ? {} : withoutLineBreaks(file, name => lineBreaks.push(name)),
    problems,
  );
  const ofEnvironment = readSecretFiles(
    withoutLineBreaks(fromEnvironment(variables, problems), name => lineBreaks.push(environmentName(name))),
    problems,
  );
  const inEffect = [...ofFile.paths].filter(([setting]) => !Object.hasOwn(ofEnvironment.values, setting));
  return {
    file: file && ofFile.values,
    environment: ofEnvironment.values,
    cleaned: { lineBreaks, serviceLinks: [...links] },
    secretPaths: new Map([...inEffect, ...ofEnvironment.paths]),
    unread: [...ofFile.unread, ...ofEnvironment.unread],
  };
}

/**
 * Variables that Kubernetes sets in every container for a Service named `hubbub…`, such as HUBBUB_SERVICE_HOST and
 * HUBBUB_PORT=tcp://10.96.0.10:8080.
 */
function serviceLinks(environment: NodeJS.ProcessEnv): ReadonlySet<string> {
  const services = Object.keys(environment).flatMap(name => {
    const service = /^(HUBBUB(?:_[A-Z0-9]+)*)_SERVICE_HOST$/.exec(name)?.[1];
    return service !== undefined && `${service}_SERVICE_PORT` in environment ? [service] : [];
  });
  const links = services.flatMap(service =>
    Object.entries(environment).flatMap(([name, value = '']) => {
      if (!name.startsWith(`${service}_`)) return [];
      const rest = name.slice(service.length);
      // A port that the pod sets itself is a number.
      if (rest === '_PORT') return /^(tcp|udp|sctp):\/\//.test(value) ? [name] : [];
      return SERVICE_LINK.test(rest) ? [name] : [];
    }),
  );
  return new Set(links);
}

/** Editors and `echo` leave a line break at the end of a secret, and no value ends with one. */
function withoutLineBreaks<Value>(
  values: Readonly<Record<string, Value>>,
  onRemoved: (name: string) => void,
): Record<string, Value> {
  const trimmed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(trimmed);
    return typeof value === 'string' ? trimEndOf(value, '\r\n') : value;
  };
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const result = trimmed(value) as Value;
      if (JSON.stringify(result) !== JSON.stringify(value)) onRemoved(name);
      return [name, result];
    }),
  );
}

function fromEnvironment(environment: NodeJS.ProcessEnv, problems: string[]): Record<string, string> {
  const settingOf = settingVariables();
  const values: Record<string, string> = {};
  for (const [variable, value] of Object.entries(environment)) {
    if (!OURS.test(variable) || variable === FILE_VARIABLE || value === undefined) continue;
    const setting = settingOf.get(variable);
    if (setting !== undefined) values[setting] = value;
    else problems.push(`${variable}: unknown setting`);
  }
  return values;
}

function readConfigFile(path: string | undefined, problems: string[]): Record<string, unknown> | undefined {
  if (path === undefined || path === '') return {};
  try {
    // JSON is YAML 1.2.
    const content: unknown = parseYaml(readFileSync(path, 'utf8')) ?? {};
    if (typeof content === 'object' && !Array.isArray(content)) {
      problems.push(...halfCharacters(content));
      return content as Record<string, unknown>;
    }
    problems.push(
      `${FILE_VARIABLE}: ${path} does not hold settings, but ${Array.isArray(content) ? 'a list' : typeof content}`,
    );
  } catch (error) {
    problems.push(`${FILE_VARIABLE}: cannot read ${path}: ${whyUnreadable(error)}`);
  }
  return undefined;
}

/** Deeper than any setting: an alias in YAML may name the value that contains it. */
const FILE_DEPTH_MAX = 8;

/** A file may escape half a surrogate pair, which no name, key or header of ours can carry. */
function halfCharacters(value: unknown, path = '', depth = 0): string[] {
  if (typeof value === 'string') return /\p{Surrogate}/u.test(value) ? [`${path}: has half a surrogate pair`] : [];
  if (typeof value !== 'object' || value === null || depth > FILE_DEPTH_MAX) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const place = path === '' ? key : `${path}.${key}`;
    return [...halfCharacters(key, place), ...halfCharacters(item, place, depth + 1)];
  });
}

/** Without the lines of the file that the parser quotes, or the name of an alias: either may be a secret. */
function whyUnreadable(error: unknown): string {
  if (error instanceof YAMLError) {
    const [start] = error.linePos ?? [];
    return start === undefined ? error.code : `${error.code} at line ${start.line}, column ${start.col}`;
  }
  if (error instanceof ReferenceError) return 'a value begins with *; put it in quotes';
  return error instanceof Error ? error.message : String(error);
}
