/** The settings of Hubbub's processes. */

export {
  type DescribedGroup,
  type DescribedSetting,
  describedNamespaceFields,
  describedPusherAppFields,
  describedSettings,
  describedWebhookFields,
  type EffectiveSetting,
  effectiveSettings,
  withoutCredentials,
} from './described-settings.js';
export { childEnvironment, setNativeVariable } from './environment.js';
export { type Config, ConfigError, type LoadOptions, loadConfig } from './load-config.js';
export { isLoopbackHost } from './loopback.js';
export { memoryLimitBytes } from './memory-limit.js';
export { matchesEvent, type Namespace, type Namespaces, namespaceSettings } from './namespaces.js';
export {
  hasWebhooks,
  PUSHER_WEBHOOK_EVENTS,
  type PusherApp,
  type PusherWebhook,
  type PusherWebhookEvent,
} from './pusher-apps.js';
export { RELATIONS, type Relation } from './relations.js';
export { createRequestSources, ORIGIN_REFUSED, type RequestSources } from './request-source.js';
export type { RoomPath, TemplatePart } from './room-paths.js';
export { settingsWithFile, settingVariables } from './secret-files.js';
export { DEVELOPMENT_JWT_SECRET } from './secret-strength.js';
export type { ApiKeySetting } from './settings/api-keys.js';
export { environmentName, type Settings, settingNames } from './settings/settings.js';
export { usesDevelopmentSecret } from './settings/tokens.js';
export type { TraceSettings } from './traces.js';
export type { ConfigWarning } from './warnings.js';
export { missingWebhookSecrets } from './webhook-problems.js';
export type { Webhook, Webhooks } from './webhooks.js';
