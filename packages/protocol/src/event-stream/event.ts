/** Frames as server-sent events: the data of an event is a frame as JSON (PROTOCOL.md section 10). */
import type { Envelope, Position } from '../envelope.js';
import { EDGE_FRAME_TYPES, type EdgeFrameType, type Frame, isFrameType } from '../frame.js';
import { jsonCodec } from '../json-codec.js';
import { transcode } from '../msgpack-codec.js';
import { isPlainObject } from '../payload.js';
import { peekType } from '../peek-type.js';
import { spliceRoom } from '../splice.js';
import { toUtf8 } from '../utf8.js';
import { writeStreamPosition } from './stream-position.js';

/** Frames that a reader gets only if it asks for presence. */
const PRESENCE_FRAMES: ReadonlySet<string> = new Set<EdgeFrameType>([
  'user_joined',
  'user_left',
  'user_typing',
  'user_stopped_typing',
  'user_status',
  'room_info',
  'room_count',
]);

/** Frames that reach `onmessage` of an `EventSource`: what members and services publish. */
const MESSAGES: ReadonlySet<string> = new Set<EdgeFrameType>(['new_message', 'error']);
const NAMED_EVENTS: ReadonlySet<string> = new Set(EDGE_FRAME_TYPES.filter(type => !MESSAGES.has(type)));

const NOTHING = new Uint8Array(0);
const EVENT_END = toUtf8('\n\n');
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;

/** The text of a frame that an edge makes; empty for a frame that the reader does not want. */
export function eventText(frame: Frame, wantsPresence: boolean): string {
  const { room, ...others } = frame;
  if (!wantsPresence && PRESENCE_FRAMES.has(frame.type)) return '';
  // The room first, as in every event of a room.
  return `${eventHead(frame.type, positionAfter(frame))}${JSON.stringify({ room, ...others })}\n\n`;
}

/**
 * The body of an envelope as an event: made once for all readers on an edge.
 * Empty for a frame that the readers do not want; `undefined` where the body is malformed.
 * @param prefix names the room, as `roomPrefix` makes it for JSON; `undefined` for a frame without a room
 */
export function transcodeToEvent(
  published: Pick<Envelope, 'encoding' | 'body'>,
  wantsPresence: boolean,
  prefix: Uint8Array | undefined,
  position: Position | undefined,
): Uint8Array | undefined {
  const json = transcode(published, 'json');
  const type = json && (peekType('json', json) ?? decoded(json)?.type);
  if (json === undefined || typeof type !== 'string') return undefined;
  if (!wantsPresence && PRESENCE_FRAMES.has(type)) return NOTHING;
  const frame = prefix === undefined ? json : spliceRoom('json', prefix, json, position);
  if (frame === undefined) return undefined;
  const after = position ?? (type === 'room_gap' ? positionAfter(decoded(json) ?? { type }) : undefined);
  return joinEvent(toUtf8(eventHead(type, after)), frame);
}

/** The comment that keeps a silent connection open. */
export const HEARTBEAT = toUtf8(':\n\n');

/** How a stream ends: what a close frame has, and when the reader is to return. */
export function closeEventText(code: number, reason: string, retryMs: number): string {
  return `retry: ${retryMs}\nevent: close\ndata: ${JSON.stringify({ code, reason })}\n\n`;
}

/** The delay before a reconnect, where the stream ends silently. */
export function retryText(retryMs: number): string {
  return `retry: ${retryMs}\n\n`;
}

function eventHead(type: string, position: Position | undefined): string {
  const id = position === undefined ? '' : `id: ${writeStreamPosition(position)}\n`;
  return NAMED_EVENTS.has(type) ? `${id}event: ${type}\ndata: ` : `${id}data: `;
}

/** White space of JSON may contain line breaks, which would begin another field. */
function joinEvent(head: Uint8Array, frame: Uint8Array): Uint8Array {
  const event = new Uint8Array(head.length + frame.length + EVENT_END.length);
  event.set(head);
  event.set(frame, head.length);
  if (frame.includes(LINE_FEED) || frame.includes(CARRIAGE_RETURN)) {
    for (let at = head.length; at < event.length; at++) {
      if (event[at] === LINE_FEED || event[at] === CARRIAGE_RETURN) event[at] = SPACE;
    }
  }
  event.set(EVENT_END, head.length + frame.length);
  return event;
}

/** The position of a reader that has got the frame: `room_opened` and `room_gap` have it in the payload. */
function positionAfter({ type, epoch, offset, payload }: Frame): Position | undefined {
  if (epoch !== undefined && offset !== undefined) return { epoch, offset };
  if (!isPlainObject(payload) || (type !== 'room_gap' && type !== 'room_opened')) return undefined;
  const { epoch: named, offset: last, recovered, replayed_from: first } = payload;
  // The replay follows, and moves the position: a connection that breaks meanwhile continues there.
  if (typeof named !== 'string' || typeof last !== 'number' || recovered === true) return undefined;
  return { epoch: named, offset: typeof first === 'number' ? first - 1 : last };
}

function decoded(json: Uint8Array): Frame | undefined {
  try {
    const frame = jsonCodec.decode(json);
    return isPlainObject(frame) && typeof frame.type === 'string' && isFrameType(frame.type)
      ? (frame as unknown as Frame)
      : undefined;
  } catch {
    return undefined; // The caller counts and drops it.
  }
}
