/** Parts of every Hubbub process, without features: logger, metrics, HTTP servers, orderly shutdown. */
export { hmacSha256Hex, isHmacSha256Hex } from './hmac.js';
export type { Readiness } from './http/admin-server.js';
export { type ListenAddress, listenFailure, listening } from './listen-failure.js';
export { createLogger, type Logger, occasionally, type ProcessLogger } from './logger.js';
export {
  addUpMetrics,
  countRedisFailures,
  createMetricsRegistry,
  type LabeledValue,
  type MetricsKit,
  type MetricsRegistry,
  type MetricValues,
  metricsKit,
  readMetrics,
} from './metrics.js';
export { RedisWatch, type RedisWatchOptions } from './redis-watch.js';
export { onShutdownSignal, type Shutdown } from './shutdown.js';
export { type Rate, TokenBucket } from './token-bucket.js';
export {
  inSpan,
  noTracing,
  type PersonalAttributes,
  type Span,
  type SpanAttributes,
  type SpanLogFields,
  type SpanStart,
  spanFieldsOf,
  type Tracing,
} from './tracing.js';
