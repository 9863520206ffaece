/** Every setting as it describes itself: for the documentation, and for people who ask what is in effect. */
import { z } from 'zod';
import type { Config } from './load-config.js';
import { namespaceFields } from './namespaces.js';
import { pusherAppFields } from './pusher-apps.js';
import { environmentName, settingGroups, settingsSchema } from './settings/settings.js';
import { givenSettings, type SettingSource } from './sources.js';
import { webhookFields } from './webhooks.js';

export interface DescribedSetting {
  /** As in the file. Of a namespace: its field, `keepMembers.expireAfterMs` where it is nested. */
  readonly name: string;
  /** `undefined`: none. */
  readonly default: unknown;
  /** The permitted values, in words. */
  readonly values: string;
  readonly meaning: string;
}

export interface DescribedGroup {
  readonly title: string;
  readonly settings: ReadonlyArray<DescribedSetting & { readonly variable: string }>;
}

/** The effective value, and its source. Secrets are left out. */
export interface EffectiveSetting {
  readonly name: string;
  /** Only where the setting has one. */
  readonly variable?: string;
  readonly source: SettingSource;
  /** The file of its own that holds the value. */
  readonly path?: string;
  /** `•••` where it is a secret, or holds one; `undefined` where nothing is set. */
  readonly value: unknown;
}

const HIDDEN = '•••';

export function describedSettings(): DescribedGroup[] {
  const shape: Readonly<Record<string, z.ZodType>> = settingsSchema.shape;
  return settingGroups.map(({ title, settings }) => ({
    title,
    settings: settings.flatMap(name => {
      const schema = shape[name];
      return schema === undefined ? [] : [{ variable: environmentName(name), ...described(name, schema) }];
    }),
  }));
}

/** Fields of a namespace; those of an object follow it. */
export function describedNamespaceFields(): DescribedSetting[] {
  return Object.entries(namespaceFields.shape).flatMap(([name, schema]) => [
    described(name, schema),
    ...nestedFields(schema).map(([inner, field]) => described(`${name}.${inner}`, field)),
  ]);
}

/** Fields of an app of the Pusher protocol. */
export function describedPusherAppFields(): DescribedSetting[] {
  return Object.entries(pusherAppFields.shape).map(([name, schema]) => described(name, schema));
}

/** Fields of a webhook. */
export function describedWebhookFields(): DescribedSetting[] {
  return Object.entries(webhookFields.shape).map(([name, schema]) => described(name, schema));
}

/** @param environment that `config` was loaded from. */
export function effectiveSettings(
  config: Config,
  environment: NodeJS.ProcessEnv = process.env,
): readonly EffectiveSetting[] {
  const given = givenSettings(environment, []);
  const { file = {} } = given;
  const sourceOf = (name: string): SettingSource => {
    if (Object.hasOwn(given.environment, name)) return 'environment';
    return Object.hasOwn(file, name) ? 'file' : 'default';
  };
  const values = new Map<string, unknown>(Object.entries(config));
  const shape: Readonly<Record<string, z.ZodType>> = settingsSchema.shape;
  const ofSettings = Object.entries(shape).map(([name, schema]) => {
    const path = given.secretPaths.get(name);
    return {
      name,
      variable: environmentName(name),
      source: sourceOf(name),
      ...(path !== undefined && { path }),
      value: shown(values.get(name), isSecret(schema)),
    };
  });
  const ofFile = [
    { name: 'namespaces', source: sourceOf('namespaces'), value: config.namespaces },
    { name: 'roomPaths', source: sourceOf('roomPaths'), value: file.roomPaths ?? {} },
    { name: 'webhooks', source: sourceOf('webhooks'), value: shownWebhooks(config) },
    { name: 'pusherApps', source: sourceOf('pusherApps'), value: shownApps(config) },
  ];
  return [...ofSettings, ...ofFile];
}

/**
 * A URL without what only its owner should know: name, password, and the values of its query.
 * @example withoutCredentials('redis://:secret@10.0.0.5:6379') === 'redis://•••@10.0.0.5:6379'
 */
export function withoutCredentials(url: string): string {
  // Shards are several URLs. To the last @ of each: a password may hold every character, whether it should or not.
  return url
    .split(/,(?=(?:rediss?|unix):\/\/)/)
    .map(one => one.replace(/^([a-z][a-z0-9+.-]*:\/\/).*@/is, `$1${HIDDEN}@`))
    .join(',')
    .replace(/([?&][^=&#]*=)[^&#]*/g, `$1${HIDDEN}`);
}

function described(name: string, schema: z.ZodType): DescribedSetting {
  // Asked what it takes by giving it what nothing takes: so the words here are those of the refusal.
  const refusal = schema.safeParse(Symbol(name)).error?.issues[0]?.message ?? '';
  return {
    name,
    default: schema.safeParse(undefined).data,
    values: /^expected (.+)$/.exec(refusal)?.[1] ?? (/expected string/.test(refusal) ? 'text' : ''),
    meaning: schema.description ?? '',
  };
}

function nestedFields(schema: z.ZodType): Array<[string, z.ZodType]> {
  const inner = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
  return inner instanceof z.ZodObject ? Object.entries(inner.shape) : [];
}

function isSecret(schema: z.ZodType): boolean {
  return schema.meta()?.secret === true;
}

function shownWebhooks({ webhooks }: Config): Record<string, unknown> {
  const entries = Object.entries(webhooks).map(([name, { secrets, url, ...rest }]) => {
    const hidden = secrets === undefined ? {} : { secrets: shown(secrets, true) };
    return [name, { url: withoutCredentials(url), ...hidden, ...rest }];
  });
  return Object.fromEntries(entries);
}

function shownApps({ pusherApps }: Config): unknown[] {
  return pusherApps.map(app => ({ ...app, secret: HIDDEN }));
}

function shown(value: unknown, secret: boolean): unknown {
  if (value === undefined) return undefined;
  if (Array.isArray(value)) return value.map(item => shown(item, secret));
  if (secret) return HIDDEN;
  return typeof value === 'string' ? withoutCredentials(value) : value;
}
