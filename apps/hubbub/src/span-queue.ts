/** The spans that wait for the collector: bounded, and counted by what became of them. */
import type { TraceSettings } from '@hubbub/config';
import { type MetricsRegistry, metricsKit } from '@hubbub/runtime';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter, type SpanProcessor } from '@opentelemetry/sdk-trace';

/** About 1 MB. */
const WAITING_MAX = 2048;
const SEND_AFTER_MS = 1000;
const RESULTS = ['exported', 'failed', 'dropped'] as const;

type Export = Parameters<SpanExporter['export']>;

export interface SpanQueueOptions extends Pick<TraceSettings, 'url'> {
  readonly metrics: MetricsRegistry;
  /** Called for each batch that the collector has not taken. */
  readonly onFailure: (error: Error) => void;
}

export class SpanQueue {
  readonly processor: SpanProcessor;
  readonly #count: (labels: { readonly result: (typeof RESULTS)[number] }, spans?: number) => void;
  #waiting = 0;

  constructor({ url, metrics, onFailure }: SpanQueueOptions) {
    this.#count = metricsKit(metrics).counterBy(
      'hubbub_trace_spans_total',
      'Spans by result: exported, failed (the collector did not take them), or dropped because too many waited.',
      RESULTS.map(result => ({ result })),
    );
    const exporter = new OTLPTraceExporter({ url });
    this.processor = new BatchSpanProcessor({
      maxQueueSize: WAITING_MAX,
      scheduledDelayMillis: SEND_AFTER_MS,
      exporter: {
        export: (spans: ReadableSpan[], done: Export[1]) =>
          exporter.export(spans, result => {
            this.#waiting -= spans.length;
            this.#count({ result: result.code === 0 ? 'exported' : 'failed' }, spans.length);
            if (result.code !== 0) onFailure(result.error ?? new Error('The exporter gave no reason.'));
            done(result);
          }),
        shutdown: () => exporter.shutdown(),
      },
    });
  }

  /** Takes a place for a span that ends. Returns false, and counts the span, if the queue is full. */
  reserve(): boolean {
    if (this.#waiting >= WAITING_MAX) {
      this.#count({ result: 'dropped' });
      return false;
    }
    this.#waiting++;
    return true;
  }
}
