/** What every Hubbub process needs and no feature is about: configuration, logger, metrics, health, orderly shutdown. */
export {
  type AdminRequestHandler,
  type AdminServer,
  answerOtherMethod,
  isRead,
  type Readiness,
  startAdminServer,
} from './admin-server.js';
export { createKeyCheck } from './api-key.js';
export { childEnvironment } from './config/child-environment.js';
export {
  type DescribedGroup,
  type DescribedSetting,
  describedNamespaceFields,
  describedSettings,
  type EffectiveSetting,
  effectiveSettings,
  withoutCredentials,
} from './config/described-settings.js';
export { type Config, ConfigError, loadConfig } from './config/load-config.js';
export { isLoopbackHost } from './config/loopback.js';
export { type Namespace, type Namespaces, namespaceSettings, RIGHTS, type Right } from './config/namespaces.js';
export { setNativeVariable } from './config/native-variable.js';
export { RELATIONS, type Relation } from './config/relations.js';
export {
  createRequestSources,
  HOST_REFUSED,
  ORIGIN_REFUSED,
  type RequestSources,
} from './config/request-source.js';
export type { RoomPath, TemplatePart } from './config/room-paths.js';
export { DEVELOPMENT_JWT_SECRET } from './config/secret-strength.js';
export { environmentName, type Settings, settingNames } from './config/settings/settings.js';
export { usesDevelopmentSecret } from './config/settings/tokens.js';
export type { ConfigWarning } from './config/warnings.js';
export { type ListenAddress, listenFailure, listening } from './listen-failure.js';
export { createLogger, type Logger, occasionally } from './logger.js';
export {
  addUpMetrics,
  countRedisFailures,
  createMetricsRegistry,
  type MetricsRegistry,
  type MetricValues,
  readMetrics,
} from './metrics.js';
export { onShutdownSignal, type Shutdown } from './shutdown.js';
