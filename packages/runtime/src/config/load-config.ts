/** Reads environment and file once into a frozen object, and tells every problem at once, by name. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { z } from 'zod';
import { conflateAboveOf, crossProblems, drainDelayOf } from './cross-problems.js';
import { type Namespaces, namespacesSchema } from './namespaces.js';
import { type RoomPath, roomPathsSchema } from './room-paths.js';
import { environmentName, type Settings, settingsSchema } from './settings/settings.js';
import { givenSettings } from './sources.js';

export interface Config extends Readonly<Settings> {
  readonly nodeId: string;
  readonly drainDelayMs: number;
  readonly conflateAboveBytes: number;
  readonly namespaces: Namespaces;
  readonly roomPaths: readonly RoomPath[];
  /** `NODE_ENV=production`: no development secret, no playground, no origin unless set. */
  readonly production: boolean;
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

const configSchema = settingsSchema.extend({ namespaces: namespacesSchema, roomPaths: roomPathsSchema });

/**
 * Settings from `HUBBUB_*` variables, over those of the file that `HUBBUB_CONFIG` names (YAML or JSON, with the settings'
 * names in camelCase, `namespaces` and `roomPaths`), over the defaults.
 *
 * @throws {ConfigError} with every problem: unknown names, wrong values, an unreadable file.
 * @example
 * const config = loadConfig(); // HUBBUB_PORT=9000 → config.port === 9000
 */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const problems: string[] = [];
  const given = givenSettings(environment, problems);
  const production = environment.NODE_ENV === 'production';

  const parsed = configSchema.safeParse({ ...given.file, ...given.environment });
  if (!parsed.success) throw new ConfigError([...problems, ...parsed.error.issues.flatMap(describeIssue)]);
  problems.push(...crossProblems(parsed.data, production));
  if (problems.length > 0) throw new ConfigError(problems);

  return Object.freeze({
    ...parsed.data,
    nodeId: parsed.data.nodeId ?? inventedNodeId(),
    drainDelayMs: drainDelayOf(parsed.data, production),
    conflateAboveBytes: conflateAboveOf(parsed.data),
    production,
  });
}

/** Settings are called by their variable, what only a file can hold by its place in the file. */
function describeIssue(issue: z.core.$ZodIssue): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map(key => `${[...issue.path, key].join('.')}: unknown setting`);
  }
  const [setting] = issue.path;
  const isOfFile = setting === 'namespaces' || setting === 'roomPaths';
  const name = isOfFile ? issue.path.join('.') : environmentName(String(setting));
  return [`${name}: ${issue.message}`];
}

/** Unique without being asked for: the host for people, random bytes for the cluster. */
function inventedNodeId(): string {
  const host =
    hostname()
      .replace(/[^A-Za-z0-9_.-]/g, '')
      .slice(0, 32) || 'node';
  return `${host}-${randomBytes(4).toString('hex')}`;
}
