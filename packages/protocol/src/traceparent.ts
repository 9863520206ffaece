/** `traceparent` of W3C Trace Context: the trace and the span that a message belongs to. */

/** Version, trace id, span id, flags; a later version may add fields behind a hyphen (section 3.2.4 of the specification). */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const TRACEPARENT_MAX_LENGTH = 512;
const SAMPLED = 0x01;

export interface Traceparent {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** The service that began the trace records it. */
  readonly isSampled: boolean;
}

/**
 * Reads a traceparent; `undefined` if it is malformed.
 * @example readTraceparent('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01')?.isSampled === true
 */
export function readTraceparent(value: unknown): Traceparent | undefined {
  if (typeof value !== 'string' || value.length > TRACEPARENT_MAX_LENGTH) return undefined;
  const [, version = '', traceId = '', spanId = '', flags = '', more] = TRACEPARENT.exec(value) ?? [];
  if (version === '' || version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 };
}

/** @example writeTraceparent({ traceId, spanId, isSampled: true }) === `00-${traceId}-${spanId}-01` */
export function writeTraceparent({ traceId, spanId, isSampled }: Traceparent): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}

/** The traceparent in the form of version 00, if its trace is sampled; else `undefined`: other traces leave no mark on a message. */
export function sampledTraceparent(value: unknown): string | undefined {
  const traceparent = value === undefined ? undefined : readTraceparent(value);
  return traceparent?.isSampled === true ? writeTraceparent(traceparent) : undefined;
}
