/** Tracing with OpenTelemetry: spans as OTLP over HTTP. Only `tracing.ts` loads this file, and only while tracing is on. */
import type { TraceSettings } from '@hubbub/config';
import { isErrorCode, readTraceparent, type Traceparent, writeTraceparent } from '@hubbub/protocol';
import type { PersonalAttributes, Span, SpanAttributes, SpanLogFields, SpanStart, Tracing } from '@hubbub/runtime';
import {
  type Context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import type { SpanQueue } from './span-queue.js';

const KINDS = { server: SpanKind.SERVER, producer: SpanKind.PRODUCER, consumer: SpanKind.CONSUMER };
const CLOSE_WITHIN_MS = 3000;

export interface OpenTelemetryOptions extends Pick<TraceSettings, 'ratio' | 'personalData'> {
  /** Such as `hubbub-edge`; OTEL_SERVICE_NAME replaces it. */
  readonly serviceName: string;
  readonly nodeId: string;
  readonly queue: SpanQueue;
}

interface SpanParts {
  readonly tracer: Tracer;
  readonly queue: SpanQueue;
  readonly personalData: boolean;
}

export function createOpenTelemetry(options: OpenTelemetryOptions): Tracing {
  const { serviceName, nodeId, ratio, personalData, queue } = options;
  const own = { 'service.name': serviceName, 'service.instance.id': nodeId };
  const provider = new TracerProvider({
    resource: resourceFromAttributes(own).merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [queue.processor],
  });
  const parts: SpanParts = { tracer: provider.getTracer('hubbub'), queue, personalData };
  return {
    start(start, parent) {
      const remote = readTraceparent(parent);
      const isSampled = remote === undefined ? Math.random() < ratio : remote.isSampled;
      return isSampled ? new RecordedSpan(parts, start, remoteContext(remote)) : undefined;
    },
    async close() {
      // The queue counts spans that cannot be sent; the process ends all the same.
      const closed = provider.shutdown().catch(() => {});
      await Promise.race([closed, new Promise(resolve => setTimeout(resolve, CLOSE_WITHIN_MS).unref())]);
    },
  };
}

function remoteContext(parent: Traceparent | undefined): Context {
  if (parent === undefined) return ROOT_CONTEXT;
  const { traceId, spanId } = parent;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true });
}

class RecordedSpan implements Span {
  readonly #parts: SpanParts;
  readonly #context: Context;
  readonly #span: ReturnType<Tracer['startSpan']>;

  constructor(parts: SpanParts, { name, kind }: SpanStart, context: Context) {
    this.#parts = parts;
    this.#span = parts.tracer.startSpan(name, { kind: KINDS[kind] }, context);
    this.#context = trace.setSpan(ROOT_CONTEXT, this.#span);
  }

  get traceparent(): string {
    const { traceId, spanId } = this.#span.spanContext();
    return writeTraceparent({ traceId, spanId, isSampled: true });
  }

  get logFields(): SpanLogFields {
    const { traceId, spanId } = this.#span.spanContext();
    return { trace_id: traceId, span_id: spanId };
  }

  startChild(start: SpanStart): Span {
    return new RecordedSpan(this.#parts, start, this.#context);
  }

  set(attributes: SpanAttributes): void {
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== undefined) this.#span.setAttribute(name, value);
    }
  }

  setPersonal({ room, user }: PersonalAttributes): void {
    if (this.#parts.personalData) this.set({ 'hubbub.room': room, 'user.id': user });
  }

  end(...[error]: [error?: unknown]): void {
    if (error !== undefined) {
      const { code } = Object(error);
      this.#span.setAttribute('error.type', isErrorCode(code) ? code : 'defect');
      this.#span.setStatus({ code: SpanStatusCode.ERROR });
    }
    // Spans that the collector does not take in time are dropped, and counted.
    if (this.#parts.queue.reserve()) this.#span.end();
  }
}
