/** A publication of a service: checked here, where a mistake is made, and encoded once for all edges. */
import {
  type AnyEvents,
  beginningOf,
  CONTROL_REASON_MAX_BYTES,
  type Control,
  encodeEnvelope,
  HubbubError,
  isWellFormedJson,
  readControl,
  sampledTraceparent,
  toJsonText,
  valueProblem,
} from '@hubbub/protocol';
import { parseServiceMessage, type ServiceMessage } from '@hubbub/protocol/service-message';
import { text, userId, wrong } from './checks.js';

/** One message of a service, and the users that it excludes. */
export interface Publication extends Omit<ServiceMessage, 'payload'> {
  /** An object that JSON can carry. */
  readonly payload?: object;
  /**
   * A session that does not get it. A later session of the same user may get it from the room's history: leave out the user
   * there.
   */
  readonly excludeSession?: string;
  /** A user whose sessions do not get it. */
  readonly excludeUser?: string;
  /**
   * 1 to 128 bytes. The same key within five minutes publishes nothing more to the same target, so that a retry never doubles
   * a message.
   */
  readonly idempotencyKey?: string;
  /**
   * The span that publishes it, in the form of W3C Trace Context: the spans of the edges continue a sampled trace. Default: that
   * of `ServiceOptions.traceparent`.
   */
  readonly traceparent?: string;
}

/** A message of a service that names its events: payloads by type. */
export type PublicationOf<Events = AnyEvents> = unknown extends Events
  ? Publication
  : { [Name in keyof Events & string]: NamedPublication<Name, Events[Name]> }[keyof Events & string];

type NamedPublication<Name, Payload> = Omit<Publication, 'type' | 'payload'> & {
  readonly type: Name;
} & (object extends Payload ? { readonly payload?: Payload } : { readonly payload: Payload });

/** The fields of a message: an unknown field would be ignored without an error. */
const FIELDS: ReadonlySet<string> = new Set([
  ...['type', 'payload', 'id', 'sender', 'timestamp', 'key'],
  ...['excludeSession', 'excludeUser', 'idempotencyKey', 'traceparent'],
]);
const ID_MAX_BYTES = 256;
const encoder = new TextEncoder();

/** For a node's channel: the sessions that get it, and the room to name in the frame. */
export interface Addressing {
  readonly sessions: readonly string[];
  readonly room?: string;
}

/**
 * A malformed traceparent is ignored: tracing loses no message.
 * @throws {HubbubError} `INVALID_FORMAT`, `INVALID_PAYLOAD` or `TOO_LARGE`; the error names the field.
 */
export function encodePublication(publication: Publication, maxMessageBytes: number, to?: Addressing): Uint8Array {
  const unknown = Object.keys(publication ?? {}).find(field => !FIELDS.has(field));
  if (unknown !== undefined) throw wrong(beginningOf(unknown, 64), 'no field of a message');
  checkPayload(publication);
  const now = new Date();
  const { key, ...message } = parseServiceMessage(publication, to === undefined ? 'audience' : 'sessions');
  const { excludeSession, excludeUser } = publication;
  // `type` first: edges check it there.
  const json = toJsonText({ ...message, timestamp: message.timestamp ?? now.toISOString() });
  if (!isWellFormedJson(json)) {
    // MessagePack members of the room could not be given it.
    throw new HubbubError('INVALID_PAYLOAD', 'payload: contains half of a surrogate pair, which is not a character.');
  }
  const body = encoder.encode(json);
  if (body.length > maxMessageBytes) {
    throw new HubbubError(
      'TOO_LARGE',
      `The message has ${body.length} bytes, more than maxMessageBytes (${maxMessageBytes}).`,
    );
  }
  const header = {
    encoding: 'json',
    publishedAtMs: now.getTime(),
    ...to,
    ...(excludeSession !== undefined && {
      excludeSession: text('excludeSession', excludeSession, ID_MAX_BYTES),
      notifyExcluded: true as const,
    }),
    ...(excludeUser !== undefined && { excludeUser: userId('excludeUser', excludeUser) }),
    ...(key !== undefined && { conflationKey: key }),
    traceparent: sampledTraceparent(publication.traceparent),
  } as const;
  return encodeEnvelope(header, body);
}

/** @throws {HubbubError} `INVALID_PAYLOAD` naming the value that cannot be sent */
function checkPayload(publication: Partial<Publication> | undefined | null): void {
  let problem: string | undefined;
  try {
    problem = valueProblem(publication?.payload ?? {}, 'payload');
  } catch (cause) {
    throw new HubbubError('INVALID_PAYLOAD', 'payload: reading it failed.', { cause });
  }
  if (problem !== undefined) throw new HubbubError('INVALID_PAYLOAD', problem);
}

const NO_BODY = new Uint8Array(0);

/**
 * @param sessions the recipients, on a node's channel
 * @throws {HubbubError} `INVALID_FORMAT` when the user, the room or the reason cannot be.
 */
export function encodeControl(wanted: Control, sessions?: readonly string[]): Uint8Array {
  if ('user' in wanted) userId('userId', wanted.user);
  const control = readControl(wanted);
  if (control === undefined) {
    throw new HubbubError(
      'INVALID_FORMAT',
      `reason: expected at most ${CONTROL_REASON_MAX_BYTES} bytes of text in whole characters`,
    );
  }
  const to = sessions === undefined ? {} : { sessions };
  return encodeEnvelope({ encoding: 'json', publishedAtMs: Date.now(), control, ...to }, NO_BODY);
}
