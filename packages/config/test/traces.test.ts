/** Where spans go: our settings, then the standard variables of OpenTelemetry. */
import { expect, test } from 'vitest';
import { loadConfig } from '../src/load-config.js';

const COLLECTOR = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

const tracesOf = (environment: NodeJS.ProcessEnv) => loadConfig(environment).traces;

test('there are no traces by default', () => {
  expect(loadConfig({})).not.toHaveProperty('traces');
});

test.for([
  ['our setting', { HUBBUB_OTLP_URL: 'http://h:4318/' }, { url: 'http://h:4318/v1/traces', ratio: 0.01 }],
  ['the common endpoint', COLLECTOR, { url: 'http://collector:4318/v1/traces', ratio: 0.01 }],
  [
    'the endpoint of traces, as it is',
    { ...COLLECTOR, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://h/x' },
    { url: 'https://h/x' },
  ],
  ['our setting before theirs', { ...COLLECTOR, HUBBUB_OTLP_URL: 'http://h:1' }, { url: 'http://h:1/v1/traces' }],
  ['our ratio', { ...COLLECTOR, HUBBUB_TRACE_RATIO: '.5', OTEL_TRACES_SAMPLER: 'always_on' }, { ratio: 0.5 }],
  ['all', { ...COLLECTOR, OTEL_TRACES_SAMPLER: 'parentbased_always_on' }, { ratio: 1 }],
  ['none of its own', { ...COLLECTOR, OTEL_TRACES_SAMPLER: 'always_off' }, { ratio: 0 }],
  [
    'their ratio',
    { ...COLLECTOR, OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' },
    { ratio: 0.25 },
  ],
  ['their ratio without a number', { ...COLLECTOR, OTEL_TRACES_SAMPLER: 'traceidratio' }, { ratio: 1 }],
] as const)('%s counts', ([, environment, expected]) => {
  expect(tracesOf(environment)).toMatchObject({ personalData: false, ...expected });
});

test.for([
  ['the SDK is disabled', { OTEL_SDK_DISABLED: 'true' }],
  ['traces have no exporter', { OTEL_TRACES_EXPORTER: 'none' }],
] as const)('there are no traces where %s', ([, more]) => {
  expect(tracesOf({ HUBBUB_OTLP_URL: 'http://h:4318', ...more })).toBeUndefined();
});

test.for([
  ['OTEL_EXPORTER_OTLP_PROTOCOL', { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, undefined],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317' }, undefined],
  ['OTEL_TRACES_SAMPLER', { OTEL_TRACES_SAMPLER: 'jaeger_remote' }, { ratio: 0.01 }],
  ['OTEL_TRACES_SAMPLER_ARG', { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' }, { ratio: 0.01 }],
] as const)('a variable that cannot be followed is a warning: %s', ([name, environment, traces]) => {
  const config = loadConfig({ ...COLLECTOR, ...environment });
  const warning = config.warnings.find(one => one.name === 'otel_variable_ignored');
  expect(warning?.message).toContain(`${name}: `);
  if (traces === undefined) expect(config.traces).toBeUndefined();
  else expect(config.traces).toMatchObject(traces);
});

test.for(['1.1', '-0.1', 'half', ''])('refuses the ratio "%s"', ratio => {
  expect(() => loadConfig({ HUBBUB_TRACE_RATIO: ratio })).toThrow('HUBBUB_TRACE_RATIO: expected a number from 0 to 1');
});
