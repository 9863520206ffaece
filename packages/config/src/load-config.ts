/** Reads environment and file once into a frozen object, and reports all problems together, by name. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { z } from 'zod';
import { crossProblems, withDefaults } from './cross-problems.js';
import { type Namespaces, namespacesSchema } from './namespaces.js';
import { appNamespaces, type PusherApp, pusherAppsSchema } from './pusher-apps.js';
import { whollyWrong, withoutWrong } from './right-part.js';
import { type RoomPath, roomPathsSchema } from './room-paths.js';
import { withSecretPath } from './secret-files.js';
import { environmentName, type Settings, settingsSchema } from './settings/settings.js';
import { givenSettings } from './sources.js';
import { findTraces, type TraceSettings } from './traces.js';
import { type ConfigWarning, configWarnings } from './warnings.js';
import { type Webhooks, webhooksSchema } from './webhooks.js';

export interface Config extends Readonly<Settings> {
  readonly nodeId: string;
  readonly drainDelayMs: number;
  readonly conflateAboveBytes: number;
  readonly pingIntervalMs: number;
  readonly maxTotalBufferedBytes: number;
  readonly maxSessions: number;
  /** Those of the apps of the Pusher protocol too. */
  readonly namespaces: Namespaces;
  readonly roomPaths: readonly RoomPath[];
  readonly webhooks: Webhooks;
  readonly pusherApps: readonly PusherApp[];
  /** `NODE_ENV=production`: no development secret, no playground, no origin unless set. */
  readonly production: boolean;
  /** Undefined: tracing is off. */
  readonly traces?: TraceSettings;
  /** Settings that work but should be changed. */
  readonly warnings: readonly ConfigWarning[];
}

/** The configuration is wrong; `problems` names every setting and what would be right. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n  ${problems.join('\n  ')}`,
    );
    this.problems = problems;
  }
}

export interface LoadOptions {
  /** False for processes that verify no tokens: they need no key of tokens in production. Default true. */
  readonly verifiesTokens?: boolean;
}

const configSchema = settingsSchema.extend({
  namespaces: namespacesSchema,
  roomPaths: roomPathsSchema,
  webhooks: webhooksSchema,
  pusherApps: pusherAppsSchema,
});

/**
 * Reads settings from `HUBBUB_*` variables, then the file that `HUBBUB_CONFIG` names, then the defaults. The file is YAML or
 * JSON with the settings' names in camelCase, `namespaces`, `roomPaths`, `webhooks` and `pusherApps`. A secret may be in a file
 * of its own, which `<NAME>_FILE` names.
 *
 * @throws {ConfigError} with every problem: unknown names, wrong values, what does not go together, an unreadable file.
 * @example
 * const config = loadConfig(); // HUBBUB_PORT=9000 → config.port === 9000
 */
export function loadConfig(
  environment: NodeJS.ProcessEnv = process.env,
  { verifiesTokens = true }: LoadOptions = {},
): Config {
  const problems: string[] = [];
  const given = givenSettings(environment, problems);
  const production = environment.NODE_ENV === 'production';

  const { settings, wrong } = parseRightPart({ ...given.file, ...given.environment }, problems);
  // The content of an unreadable file is unknown: nothing is reported as missing from it.
  const unknown = new Set([...wrong, ...given.unread]);
  if (given.file !== undefined) {
    problems.push(...crossProblems(settings, { production, verifiesTokens, wrong: unknown }));
  }
  if (problems.length > 0) throw new ConfigError(problems.map(problem => withSecretPath(problem, given.secretPaths)));

  const complete = withDefaults(settings, production);
  const { traces, ignored } = findTraces(settings, environment);
  return Object.freeze({
    ...settings,
    ...complete,
    namespaces: { ...settings.namespaces, ...appNamespaces(settings.pusherApps) },
    nodeId: settings.nodeId ?? inventedNodeId(),
    production,
    ...(traces !== undefined && { traces }),
    warnings: configWarnings({ ...complete, production }, environment.NODE_ENV, { ...given.cleaned, ignored }),
  });
}

interface RightPart {
  readonly settings: z.infer<typeof configSchema>;
  /** Settings that have their default here, because the given value is wrong. */
  readonly wrong: ReadonlySet<string>;
}

/** Single values, then what holds between those of a namespace, then nothing: more would be a cut that cuts nothing. */
const MAX_ROUNDS = 3;

/**
 * Adds each problem to `problems` and continues: every setting has a default.
 * @throws {ConfigError} where no rest is right
 */
function parseRightPart(given: Readonly<Record<string, unknown>>, problems: string[]): RightPart {
  const wrong = new Set<string>();
  let rest = given;
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const parsed = configSchema.safeParse(rest);
    if (parsed.success) return { settings: parsed.data, wrong };
    const { issues } = parsed.error;
    problems.push(...issues.flatMap(describeIssue));
    for (const name of whollyWrong(issues)) wrong.add(name);
    rest = withoutWrong(rest, issues);
  }
  throw new ConfigError(problems);
}

/** They have no variable. */
const FILE_SETTINGS: ReadonlySet<string> = new Set(['namespaces', 'roomPaths', 'webhooks', 'pusherApps']);

/** Settings are called by their variable, what only a file can hold by its place in the file. */
function describeIssue(issue: z.core.$ZodIssue): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map(key => `${[...issue.path, key].join('.')}: unknown setting`);
  }
  const [setting] = issue.path;
  const isOfFile = FILE_SETTINGS.has(String(setting)) || isOfNamedKey(issue.path);
  const name = isOfFile ? issue.path.join('.') : environmentName(String(setting));
  return [`${name}: ${issue.message}`];
}

/** A field of a named key; `key` is what a variable can hold too. */
function isOfNamedKey([setting, , field]: readonly PropertyKey[]): boolean {
  return setting === 'apiKeys' && field !== undefined && field !== 'key';
}

/** Unique without being asked for: the host for people, random bytes for the cluster. */
function inventedNodeId(): string {
  const host =
    hostname()
      .replace(/[^A-Za-z0-9_.-]/g, '')
      .slice(0, 32) || 'node';
  return `${host}-${randomBytes(4).toString('hex')}`;
}
