/** Spans of sampled messages. The command line implements it with OpenTelemetry; off, it is one call that returns nothing. */

export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

export interface SpanStart {
  /** One of few: never a room, a user or an id. */
  readonly name: string;
  /** As in OpenTelemetry: `server` answers a request, `producer` sends a message, `consumer` takes one. */
  readonly kind: 'server' | 'producer' | 'consumer';
}

export interface Span {
  /** For children in other processes, in W3C form. */
  readonly traceparent: string;
  /** For log lines about the same message. */
  readonly logFields: SpanLogFields;
  startChild(start: SpanStart): Span;
  set(attributes: SpanAttributes): void;
  /** As `set`, but only where the operator allows rooms and users in traces. */
  setPersonal(attributes: PersonalAttributes): void;
  /** @param error makes it a failed span: its code is recorded, its message is not. */
  end(error?: unknown): void;
}

export interface SpanLogFields {
  readonly trace_id: string;
  readonly span_id: string;
}

export interface PersonalAttributes {
  readonly room?: string | undefined;
  readonly user?: string | undefined;
}

export interface Tracing {
  /**
   * Starts a span, if its trace is sampled. Without a parent it begins a trace.
   * @param parent traceparent of another process; a malformed one is ignored
   */
  start(start: SpanStart, parent?: string): Span | undefined;
  /** Sends what is left, for at most 3 s. */
  close(): Promise<void>;
}

export const noTracing: Tracing = {
  start: () => undefined,
  close: async () => {},
};

/** Spans of failed work, by its error: the code that logs an error need not know the span. Empty while tracing is off. */
const spansOfErrors = new WeakMap<object, SpanLogFields>();

/** The fields of a log line about this error: those of the span that it ended, if it was traced. */
export function spanFieldsOf(error: unknown): SpanLogFields | undefined {
  return typeof error === 'object' && error !== null ? spansOfErrors.get(error) : undefined;
}

/** Does the work within a span, which ends with it. Throws and rejects as the work does. */
export function inSpan<Result>(
  span: Span | undefined,
  work: () => Promise<Result>,
  describe?: (result: Result) => SpanAttributes,
): Promise<Result> {
  if (span === undefined) return work();
  let done: Promise<Result>;
  try {
    done = work();
  } catch (error) {
    fail(span, error);
    throw error;
  }
  done.then(
    result => {
      if (describe !== undefined) span.set(describe(result));
      span.end();
    },
    error => fail(span, error),
  );
  return done;
}

function fail(span: Span, error: unknown): void {
  if (typeof error === 'object' && error !== null && !spansOfErrors.has(error))
    spansOfErrors.set(error, span.logFields);
  span.end(error);
}
