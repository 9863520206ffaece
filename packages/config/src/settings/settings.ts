/** Every setting of every process, and its name in the environment. */
import { z } from 'zod';
import { apiSettings } from './api.js';
import { authorizerSettings } from './authorizer.js';
import { clusterSettings } from './cluster.js';
import { limitSettings } from './limits.js';
import { listenerSettings } from './listeners.js';
import { tokenSettings } from './tokens.js';
import { tracingSettings } from './tracing.js';
import { webhookSettings } from './webhooks.js';

export const settingsSchema = z.strictObject({
  ...listenerSettings,
  ...apiSettings,
  ...tokenSettings,
  ...authorizerSettings,
  ...limitSettings,
  ...webhookSettings,
  ...clusterSettings,
  ...tracingSettings,
});

/** Groups of the settings page. A test compares them with the schema. */
export const settingGroups = [
  { title: 'Listening', settings: Object.keys(listenerSettings) },
  { title: 'The HTTP API for back ends', settings: Object.keys(apiSettings) },
  { title: 'Tokens', settings: Object.keys(tokenSettings) },
  { title: 'The authorizer', settings: Object.keys(authorizerSettings) },
  { title: 'Limits', settings: Object.keys(limitSettings) },
  { title: 'Webhooks', settings: Object.keys(webhookSettings) },
  { title: 'Redis, presence and the life of a process', settings: Object.keys(clusterSettings) },
  { title: 'Traces', settings: Object.keys(tracingSettings) },
] as const;

export type Settings = z.infer<typeof settingsSchema>;

/** `adminPort` ↔ `HUBBUB_ADMIN_PORT`: one mechanical rule, so that a setting has one name. */
export function environmentName(setting: string): string {
  return `HUBBUB_${setting.replace(/[A-Z]/g, letter => `_${letter}`).toUpperCase()}`;
}

export function settingNames(): string[] {
  return Object.keys(settingsSchema.shape);
}
