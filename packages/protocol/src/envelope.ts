/**
 * The envelope: one message on the broker between processes (docs/redis-contract.md).
 *
 * Layout: 0x01, a JSON header, 0x02, the body. JSON escapes control characters, so the header cannot contain 0x02. The
 * body is a frame without `room` and `offset`, in the publisher's encoding, and is not read on its way.
 */
import type { Encoding } from './codec.js';
import { type Control, readControl } from './control.js';
import { EPOCH_MAX_BYTES, utf8Length } from './limits.js';
import { isRoomName } from './room-name.js';
import { isConflationKey, isWellFormed } from './text.js';
import { sampledTraceparent } from './traceparent.js';
import { fromUtf8, toUtf8 } from './utf8.js';
import { FIRST_WIRE_VERSION, isReadableVersion } from './wire-version.js';

const START = 0x01;
const BODY = 0x02;
/** Behind the start mark and the `{` of the header. */
const HEADER_FIELDS = 2;

export interface EnvelopeHeader {
  /** Encoding of the body. */
  readonly encoding: Encoding;
  /** When it was published, in milliseconds since 1970. */
  readonly publishedAtMs: number;
  /** Wire version, of edges and presence. Absent: the first, which everybody writes and reads. */
  readonly version?: number | undefined;
  /** The session that does not get it: the sender's. */
  readonly excludeSession?: string | undefined;
  /** The session of `excludeSession` gets `room_offset` in its place: it did not send the message and gets no `ack`. */
  readonly notifyExcluded?: true | undefined;
  /** The user whose sessions do not get it. */
  readonly excludeUser?: string | undefined;
  /** The sessions that alone get it (on a node's channel). */
  readonly sessions?: readonly string[] | undefined;
  /** Number of the question that each of `sessions` asked, where the frame is an answer (on a node's channel). */
  readonly questions?: readonly number[] | undefined;
  /** The room to name in the frame (on a node's channel). */
  readonly room?: string | undefined;
  /** Number of a self-probe (on a node's channel). */
  readonly probe?: number | undefined;
  /** The command instead of a frame (the body is empty). */
  readonly control?: Control | undefined;
  /** In a conflating room a newer message of this key takes the place of one that waits for a slow reader. */
  readonly conflationKey?: string | undefined;
  /** The span that published it, in W3C form; only in messages of sampled traces. A wrong one is ignored. Reaches no client. */
  readonly traceparent?: string | undefined;
  /** Place in the room's history; always together with `epoch`. Written by `positionEnvelope` or history-append.lua. */
  readonly offset?: number | undefined;
  readonly epoch?: string | undefined;
}

/** A place in a room's history. A new epoch means that the history was lost and began again. */
export interface Position {
  readonly epoch: string;
  readonly offset: number;
}

export interface Envelope extends EnvelopeHeader {
  /** A view into the received bytes: copy it to keep it. */
  readonly body: Uint8Array;
}

/** The header on the wire: one letter a field, because it travels with every message. */
interface WireHeader {
  e: 'j' | 'm';
  t: number;
  v?: number | undefined;
  x?: string | undefined;
  n?: true | undefined;
  u?: string | undefined;
  s?: readonly string[] | undefined;
  q?: readonly number[] | undefined;
  r?: string | undefined;
  p?: number | undefined;
  c?: Control | undefined;
  k?: string | undefined;
  w?: unknown;
  o?: number | undefined;
  h?: string | undefined;
}

export function encodeEnvelope(header: EnvelopeHeader, body: Uint8Array): Uint8Array {
  const head = toUtf8(headerText(header));
  const bytes = new Uint8Array(head.length + body.length + 2);
  bytes[0] = START;
  bytes.set(head, 1);
  bytes[head.length + 1] = BODY;
  bytes.set(body, head.length + 2);
  return bytes;
}

/** Everything before the body, as text: with a body of JSON behind it, its UTF-8 is what `encodeEnvelope` returns. */
export function encodeEnvelopeHead(header: EnvelopeHeader): string {
  return `\u0001${headerText(header)}\u0002`;
}

/** Written by hand: most headers have two or three of the fields, and presence writes one for each join. */
function headerText(header: EnvelopeHeader): string {
  let text = `{"e":"${header.encoding === 'json' ? 'j' : 'm'}","t":${header.publishedAtMs}`;
  if (header.version !== undefined && header.version !== FIRST_WIRE_VERSION) text += `,"v":${header.version}`;
  if (header.excludeSession !== undefined) text += `,"x":${JSON.stringify(header.excludeSession)}`;
  if (header.notifyExcluded !== undefined) text += `,"n":${header.notifyExcluded}`;
  if (header.excludeUser !== undefined) text += `,"u":${JSON.stringify(header.excludeUser)}`;
  if (header.sessions !== undefined) text += `,"s":${JSON.stringify(header.sessions)}`;
  if (header.questions !== undefined) text += `,"q":${JSON.stringify(header.questions)}`;
  if (header.room !== undefined) text += `,"r":${JSON.stringify(header.room)}`;
  if (header.probe !== undefined) text += `,"p":${header.probe}`;
  if (header.control !== undefined) text += `,"c":${JSON.stringify(header.control)}`;
  if (header.conflationKey !== undefined) text += `,"k":${JSON.stringify(header.conflationKey)}`;
  if (header.traceparent !== undefined) text += `,"w":${JSON.stringify(header.traceparent)}`;
  if (header.offset !== undefined) text += `,"o":${header.offset}`;
  if (header.epoch !== undefined) text += `,"h":${JSON.stringify(header.epoch)}`;
  return `${text}}`;
}

/** The envelope with its position in front of the header's other fields, as history-append.lua does it. */
export function positionEnvelope(envelope: Uint8Array, { epoch, offset }: Position): Uint8Array {
  const fields = toUtf8(`"o":${offset},"h":${JSON.stringify(epoch)},`);
  const bytes = new Uint8Array(envelope.length + fields.length);
  bytes.set(envelope.subarray(0, HEADER_FIELDS));
  bytes.set(fields, HEADER_FIELDS);
  bytes.set(envelope.subarray(HEADER_FIELDS), HEADER_FIELDS + fields.length);
  return bytes;
}

/** Whether the bytes claim to be an envelope; all others are the plain JSON of a service. */
export function isEnvelope(bytes: Uint8Array): boolean {
  return bytes[0] === START;
}

/** Reads an envelope's header; `undefined` when the bytes are not a well-formed envelope. */
export function decodeEnvelope(bytes: Uint8Array): Envelope | undefined {
  const bodyMark = bytes.indexOf(BODY);
  if (bytes[0] !== START || bodyMark < 0) return undefined;
  const wire = parseHeader(bytes.subarray(1, bodyMark));
  if (wire === undefined) return undefined;
  // Each property by its name: the edge decodes one for each join, and a spread costs more than the rest.
  return {
    encoding: wire.e === 'j' ? 'json' : 'msgpack',
    publishedAtMs: wire.t,
    version: wire.v,
    excludeSession: wire.x,
    notifyExcluded: wire.n,
    excludeUser: wire.u,
    sessions: wire.s,
    questions: wire.q,
    room: wire.r,
    probe: wire.p,
    control: wire.c,
    conflationKey: wire.k,
    traceparent: sampledTraceparent(wire.w),
    offset: wire.o,
    epoch: wire.h,
    body: bytes.subarray(bodyMark + 1),
  };
}

/** Whether bytes that `decodeEnvelope` did not read are an envelope of another release, and not a mistake of a service. */
export function hasUnsupportedVersion(bytes: Uint8Array): boolean {
  const bodyMark = bytes.indexOf(BODY);
  if (bytes[0] !== START || bodyMark < 0) return false;
  const version = parseObject(bytes.subarray(1, bodyMark))?.v;
  return Number.isSafeInteger(version) && !isReadableVersion(version);
}

function parseObject(bytes: Uint8Array): Partial<Record<keyof WireHeader, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(fromUtf8(bytes));
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined; // Not JSON in UTF-8: the caller drops and counts it.
  }
}

function parseHeader(bytes: Uint8Array): WireHeader | undefined {
  const wire = parseObject(bytes);
  if (wire === undefined) return undefined;
  const wellFormed =
    (wire.e === 'j' || wire.e === 'm') &&
    Number.isFinite(wire.t) &&
    (wire.v === undefined || isReadableVersion(wire.v)) &&
    isOptionalText(wire.x) &&
    (wire.n === undefined || wire.n === true) &&
    isOptionalText(wire.u) &&
    (wire.s === undefined || isListOfTexts(wire.s)) &&
    (wire.q === undefined || isListOfNumbers(wire.q)) &&
    (wire.r === undefined || (typeof wire.r === 'string' && isRoomName(wire.r))) &&
    (wire.p === undefined || typeof wire.p === 'number') &&
    (wire.k === undefined || isConflationKey(wire.k)) &&
    hasWholePosition(wire.o, wire.h);
  if (!wellFormed) return undefined;
  if (wire.c === undefined) return wire as WireHeader;
  const control = readControl(wire.c);
  return control && ({ ...wire, c: control } as WireHeader);
}

/** Both or none: an offset has no meaning without its epoch. */
function hasWholePosition(offset: unknown, epoch: unknown): boolean {
  if (offset === undefined && epoch === undefined) return true;
  return Number.isSafeInteger(offset) && (offset as number) > 0 && typeof epoch === 'string' && isEpoch(epoch);
}

function isEpoch(epoch: string): boolean {
  return isWellFormed(epoch) && utf8Length(epoch) <= EPOCH_MAX_BYTES;
}

function isListOfNumbers(value: unknown): boolean {
  return Array.isArray(value) && value.every(item => typeof item === 'number');
}

function isListOfTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(item => typeof item === 'string' && isWellFormed(item));
}

function isOptionalText(value: unknown): boolean {
  return value === undefined || (typeof value === 'string' && isWellFormed(value));
}
