/** A collector that takes spans as OTLP over HTTP, in protobuf, and keeps them for the test. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import protobuf from 'protobufjs';
import { cleanup } from '../support/cleanup.js';

/** The part of opentelemetry-proto 1.9 that the tests read: names and numbers are those of trace.proto, common.proto and resource.proto. */
const OTLP = `
  syntax = "proto3";
  message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message Status { string message = 2; int32 code = 3; }
  message Span {
    bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
    fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9; Status status = 15;
    fixed32 flags = 16;
  }
  message Scope { string name = 1; }
  message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message ExportTraceServiceRequest { repeated ResourceSpans resource_spans = 1; }
`;
const request = protobuf.parse(OTLP, { keepCase: true }).root.lookupType('ExportTraceServiceRequest');

export const KINDS = { 2: 'server', 4: 'producer', 5: 'consumer' } as const;

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: it began the trace. */
  readonly parentId: string;
  readonly name: string;
  readonly kind: string;
  readonly service: string;
  readonly node: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly hasFailed: boolean;
  readonly durationNs: bigint;
}

export interface TestCollector {
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  /** Requests that were not OTLP. */
  readonly problems: readonly string[];
  readonly headers: readonly IncomingMessage['headers'][];
}

/** @param status of its answers; other than 200 for a collector that takes nothing */
export async function startCollector({ status = 200 }: { readonly status?: number } = {}): Promise<TestCollector> {
  const spans: ReceivedSpan[] = [];
  const problems: string[] = [];
  const headers: IncomingMessage['headers'][] = [];
  const server = createServer(async (message, answer) => {
    const body = await buffer(message);
    headers.push(message.headers);
    try {
      if (status === 200) spans.push(...readSpans(message, body));
    } catch (error) {
      problems.push(String(error));
    }
    answer.writeHead(status, { 'content-type': 'application/x-protobuf' }).end();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  cleanup(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans, problems, headers };
}

function readSpans({ method, url, headers }: IncomingMessage, body: Buffer): ReceivedSpan[] {
  if (method !== 'POST' || url !== '/v1/traces') throw new Error(`${method} ${url}: expected POST /v1/traces`);
  const type = headers['content-type'];
  if (type !== 'application/x-protobuf') throw new Error(`Content-Type: expected application/x-protobuf, got ${type}`);
  const bytes = headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
  const { resource_spans } = request.toObject(request.decode(bytes), { longs: String, defaults: true, arrays: true });
  return (resource_spans as readonly Wire[]).flatMap(({ resource, scope_spans }) => {
    const { 'service.name': service, 'service.instance.id': node } = readAttributes(resource.attributes);
    return (scope_spans as readonly Wire[]).flatMap(({ spans }) =>
      (spans as readonly Wire[]).map(span => readSpan(span, String(service), String(node))),
    );
  });
}

// biome-ignore lint/suspicious/noExplicitAny: protobufjs types no message that it reads at run time.
type Wire = any;

function readSpan(span: Wire, service: string, node: string): ReceivedSpan {
  const hex = (bytes: Uint8Array, length: number): string => {
    if (bytes.length !== 0 && bytes.length !== length) throw new Error(`an id has ${bytes.length} bytes`);
    return Buffer.from(bytes).toString('hex');
  };
  const kind = KINDS[span.kind as keyof typeof KINDS];
  if (kind === undefined) throw new Error(`the span ${span.name} has the kind ${span.kind}`);
  return {
    traceId: hex(span.trace_id, 16),
    spanId: hex(span.span_id, 8),
    parentId: hex(span.parent_span_id, 8),
    name: span.name,
    kind,
    service,
    node,
    attributes: readAttributes(span.attributes),
    hasFailed: span.status?.code === 2,
    durationNs: BigInt(span.end_time_unix_nano) - BigInt(span.start_time_unix_nano),
  };
}

function readAttributes(pairs: readonly Wire[]): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map(({ key, value: { value: _, ...one } }) => {
      const [[kind, value] = ['', undefined]] = Object.entries(one).filter(([, given]) => given !== undefined);
      return [key, kind === 'int_value' || kind === 'double_value' ? Number(value) : value];
    }),
  );
}
