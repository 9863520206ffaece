/** Checks the arguments of a service: the error names the mistake where it is made. */
import {
  HubbubError,
  isNamespace,
  isRoomName,
  isText,
  RIGHTS,
  type Right,
  type SessionAddress,
  userIdProblem,
} from '@hubbub/protocol';

/** Of the ids of sessions and of nodes: nothing that is one is longer. */
const ID_MAX_BYTES = 256;
const STREAM_ID = /^\d{1,20}-\d{1,20}$/;
const GROUP = /^[A-Za-z0-9_.-]{1,64}$/;

/** @throws {HubbubError} `INVALID_FORMAT` */
export function wholeNumber(name: string, value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw wrong(name, `expected a whole number from ${min} to ${max}`);
}

/** @throws {HubbubError} `INVALID_ROOM` */
export function roomName(value: unknown): string {
  if (typeof value === 'string' && isRoomName(value)) return value;
  throw new HubbubError(
    'INVALID_ROOM',
    `No room name: ${typeof value === 'string' ? JSON.stringify(value).slice(0, 200) : `a ${typeof value}`}`,
  );
}

/** @throws {HubbubError} `INVALID_FORMAT` */
export function userId(name: string, value: unknown): string {
  const problem = userIdProblem(value);
  if (problem === undefined) return value as string;
  throw wrong(name, `expected a user's id; this ${problem}`);
}

/** @throws {HubbubError} `INVALID_FORMAT`: a message to an edge that does not exist would be lost silently. */
export function sessionAddress(value: unknown): SessionAddress {
  if (typeof value !== 'object' || value === null) throw wrong('session', 'expected { id, node }, as events have it');
  const { id, node }: { id?: unknown; node?: unknown } = value;
  return { id: text('session.id', id, ID_MAX_BYTES), node: text('session.node', node, ID_MAX_BYTES) };
}

/** @throws {HubbubError} `INVALID_FORMAT` */
export function namespaceName(value: unknown): string {
  if (typeof value === 'string' && isNamespace(value)) return value;
  throw wrong('namespace', 'expected the name of a namespace, without a colon: letters, digits, _ . @ ~ = + -');
}

/** @throws {HubbubError} `INVALID_FORMAT` */
export function groupName(value: unknown): string {
  if (typeof value === 'string' && GROUP.test(value)) return value;
  throw wrong('group', 'expected 1 to 64 letters, digits, _ . -');
}

/** Edges drop a list with an unknown right: the user could not join. @throws {HubbubError} `INVALID_FORMAT` */
export function listOfRights(name: string, value: readonly Right[]): readonly Right[] {
  if (Array.isArray(value) && value.every(right => RIGHTS.includes(right))) return value;
  throw wrong(name, `expected a list of ${RIGHTS.join(', ')}`);
}

/** @throws {HubbubError} `INVALID_FORMAT` */
export function text(name: string, value: unknown, maxBytes: number): string {
  if (isText(value, maxBytes)) return value;
  throw wrong(name, `expected 1 to ${maxBytes} bytes of text in whole characters`);
}

/** @throws {HubbubError} `INVALID_FORMAT` */
export function streamId(name: string, value: unknown): string {
  if (typeof value === 'string' && STREAM_ID.test(value)) return value;
  throw wrong(name, 'expected an id such as 1700000000000-0');
}

/** An object of options, before its fields are read. @throws {HubbubError} `INVALID_FORMAT` */
export function fieldsOf<Fields extends object>(name: string, value: Fields): Fields {
  if (typeof value === 'object' && value !== null) return value;
  throw wrong(name, 'expected an object');
}

/** @throws {HubbubError} `INVALID_FORMAT` */
export function optionalFunction<Value>(name: string, value: Value): Value {
  if (value === undefined || typeof value === 'function') return value;
  throw wrong(name, 'expected a function');
}

/** The error for an invalid value. */
export function wrong(name: string, expected: string): HubbubError {
  return new HubbubError('INVALID_FORMAT', `${name}: ${expected}`);
}
