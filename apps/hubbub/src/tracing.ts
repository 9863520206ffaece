/** Opens tracing where the configuration wants it, and loads OpenTelemetry only then. */
import { type Config, ConfigError } from '@hubbub/config';
import { type Logger, type MetricsRegistry, noTracing, occasionally, type Tracing } from '@hubbub/runtime';

const FAILURE_LOG_INTERVAL_MS = 10_000;

export async function openTracing(
  name: string,
  { traces, nodeId }: Config,
  metrics: MetricsRegistry,
  log: Logger,
): Promise<Tracing> {
  if (traces === undefined) return noTracing;
  const { createOpenTelemetry, SpanQueue } = await loadOpenTelemetry();
  const onFailure = occasionally(FAILURE_LOG_INTERVAL_MS, (suppressed, { message }: Error) =>
    log.warn({ event: 'spans_not_exported', err: message, suppressed }, 'the collector did not take spans'),
  );
  const queue = new SpanQueue({ url: traces.url, metrics, onFailure });
  return createOpenTelemetry({ ...traces, serviceName: name === 'hubbub' ? name : `hubbub-${name}`, nodeId, queue });
}

/** The command line brings the packages; a program with an embedded hub installs them. */
async function loadOpenTelemetry() {
  try {
    const [{ createOpenTelemetry }, { SpanQueue }] = await Promise.all([
      import('./open-telemetry.js'),
      import('./span-queue.js'),
    ]);
    return { createOpenTelemetry, SpanQueue };
  } catch (error) {
    if (Object(error).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new ConfigError([
      'HUBBUB_OTLP_URL: needs packages; run: npm install @opentelemetry/api @opentelemetry/resources @opentelemetry/sdk-trace @opentelemetry/exporter-trace-otlp-proto',
    ]);
  }
}
