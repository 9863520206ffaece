/** Where the spans of a process go, and of how many traces: by settings, or by the standard variables of OpenTelemetry. */
import type { Settings } from './settings/settings.js';

export interface TraceSettings {
  /** Takes OTLP over HTTP with POST. */
  readonly url: string;
  /** 0 to 1: the part of the traces that begin in this process. */
  readonly ratio: number;
  /** Spans may name rooms and users. */
  readonly personalData: boolean;
}

export interface FoundTraces {
  /** Undefined: tracing is off. */
  readonly traces?: TraceSettings;
  /** Variables of OpenTelemetry that cannot be followed, each with the reason. They never stop a process. */
  readonly ignored: readonly string[];
}

type Sources = Pick<Settings, 'otlpUrl' | 'traceRatio' | 'tracePersonalData'>;

const DEFAULT_RATIO = 0.01;
const PATH = '/v1/traces';
const PROTOCOL = 'http/protobuf';

/** The settings go before the variables; OTEL_SDK_DISABLED and OTEL_TRACES_EXPORTER=none turn tracing off. */
export function findTraces(settings: Sources, environment: NodeJS.ProcessEnv): FoundTraces {
  const { otlpUrl, traceRatio, tracePersonalData: personalData } = settings;
  if (environment.OTEL_SDK_DISABLED === 'true' || environment.OTEL_TRACES_EXPORTER === 'none') return { ignored: [] };
  const ignored: string[] = [];
  const url = otlpUrl === undefined ? standardUrl(environment, ignored) : below(otlpUrl, PATH);
  if (url === undefined) return { ignored };
  const ratio = traceRatio ?? standardRatio(environment, ignored) ?? DEFAULT_RATIO;
  return { traces: { url, ratio, personalData }, ignored };
}

function standardUrl(environment: NodeJS.ProcessEnv, ignored: string[]): string | undefined {
  const { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own, OTEL_EXPORTER_OTLP_ENDPOINT: common } = environment;
  const [name, value] = own ? ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', own] : ['OTEL_EXPORTER_OTLP_ENDPOINT', common];
  if (!value) return undefined;
  const protocol = environment.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL || environment.OTEL_EXPORTER_OTLP_PROTOCOL;
  if (protocol && protocol !== PROTOCOL) {
    ignored.push(`OTEL_EXPORTER_OTLP_PROTOCOL: Hubbub sends ${PROTOCOL} only, and not ${protocol}`);
    return undefined;
  }
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol)) {
    ignored.push(`${name}: expected a URL like http://127.0.0.1:4318`);
    return undefined;
  }
  return own ? value : below(value, PATH);
}

/** Hubbub always follows the decision of the service that began a trace: so `parentbased_` changes nothing. */
function standardRatio(environment: NodeJS.ProcessEnv, ignored: string[]): number | undefined {
  const { OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: argument } = environment;
  if (!sampler) return undefined;
  const kind = sampler.replace(/^parentbased_/, '');
  if (kind === 'always_on') return 1;
  if (kind === 'always_off') return 0;
  // Without an argument the specification takes all.
  const ratio = Number(argument || 1);
  if (kind === 'traceidratio' && ratio >= 0 && ratio <= 1) return ratio;
  ignored.push(
    kind === 'traceidratio'
      ? 'OTEL_TRACES_SAMPLER_ARG: expected a number from 0 to 1'
      : `OTEL_TRACES_SAMPLER: ${sampler} is unknown to Hubbub`,
  );
  return undefined;
}

function below(base: string, path: string): string {
  return base.endsWith('/') ? base.slice(0, -1) + path : base + path;
}
