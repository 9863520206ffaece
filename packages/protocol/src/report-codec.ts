/** Reports in the log: a compact JSON text for each batch, checked on the way out. */
import { USER_ID_MAX_BYTES, USER_NAME_MAX_BYTES } from './limits.js';
import {
  INCARNATION_MAX_BYTES,
  isReportedStatus,
  type Report,
  type ReportBatch,
  SESSION_ID_MAX_BYTES,
  type Status,
} from './report.js';
import { isRoomName } from './room-name.js';
import { isText, toWellFormed } from './text.js';
import { isReadableVersion, PREVIOUS_WIRE_VERSION } from './wire-version.js';

/** One letter a kind: reports are the bulk of what edges write to Redis. */
const LETTERS = {
  join: 'j',
  leave: 'l',
  drop: 'd',
  status: 's',
  roster: 'r',
  connect: 'c',
  disconnect: 'q',
  enter: 'e',
  exit: 'x',
  node_gone: 'g',
} as const satisfies Record<Report['kind'], string>;

type Wire = readonly unknown[];

/**
 * The batch as one JSON text: `[version, incarnation, [letter, …], …]`.
 * @param version wire version, which presence must be able to read
 */
export function encodeReports(batch: ReportBatch, version = PREVIOUS_WIRE_VERSION): string {
  return JSON.stringify([version, batch.incarnation, ...batch.reports.map(toWire)]);
}

function toWire(report: Report): Wire {
  const letter = LETTERS[report.kind];
  switch (report.kind) {
    case 'join':
      return trimmed([
        letter,
        report.room,
        report.session,
        report.user,
        report.name === report.user ? 0 : report.name,
        report.resync === true ? 1 : 0,
        report.status,
      ]);
    case 'leave':
    case 'drop':
      return [letter, report.room, report.session, report.user];
    case 'status':
      return trimmed([letter, report.room, report.session, report.user, report.status]);
    case 'roster':
      return trimmed([letter, report.room, report.session, report.question, report.after]);
    case 'connect':
    case 'disconnect':
      return [letter, report.session, report.user];
    case 'enter':
    case 'exit':
      return [letter, report.session, report.user, report.room];
    case 'node_gone':
      return [letter, report.gone];
  }
}

/** Without the trailing absent field: `undefined` would be written as `null`. */
function trimmed(wire: unknown[]): Wire {
  return wire[wire.length - 1] === undefined ? wire.slice(0, -1) : wire;
}

/** A decoded entry; `malformed` counts the reports in it that were dropped (1 when the entry itself is not one). */
export interface DecodedReports {
  readonly batch?: ReportBatch;
  readonly malformed: number;
  /** The incarnation that wrote an entry of a wire version that this release does not read; there is no batch. */
  readonly unsupportedFrom?: string;
}

/** Reads an entry of the log. Never throws: drops and counts malformed reports, and keeps the others in order. */
export function decodeReports(text: string): DecodedReports {
  let wire: unknown;
  try {
    wire = JSON.parse(text);
  } catch {
    return { malformed: 1 }; // Not JSON: not written by an edge; the caller counts it.
  }
  if (!Array.isArray(wire) || !Number.isSafeInteger(wire[0]) || !isText(wire[1], INCARNATION_MAX_BYTES)) {
    return { malformed: 1 };
  }
  // Every version begins with these two.
  const incarnation: string = wire[1];
  if (!isReadableVersion(wire[0])) return { malformed: 0, unsupportedFrom: incarnation };
  const reports: Report[] = [];
  for (let i = 2; i < wire.length; i++) {
    const report = fromWire(wire[i]);
    if (report !== undefined) reports.push(report);
  }
  return { batch: { incarnation, reports }, malformed: wire.length - 2 - reports.length };
}

function fromWire(wire: unknown): Report | undefined {
  if (!Array.isArray(wire)) return undefined;
  const [letter, a, b, c, d, e, f] = wire as unknown[];
  switch (letter) {
    case LETTERS.join: {
      const name = d === 0 ? c : typeof d === 'string' ? toWellFormed(d) : d;
      if (!isRoom(a) || !isSession(b) || !isUser(c) || !isName(name) || !isOptionalStatus(f)) return undefined;
      // Most joins have neither, and a spread costs more than the rest.
      if (e !== 1 && f === undefined) return { kind: 'join', room: a, session: b, user: c, name };
      return {
        kind: 'join',
        room: a,
        session: b,
        user: c,
        name,
        ...(e === 1 && { resync: true }),
        ...(f !== undefined && { status: f }),
      };
    }
    case LETTERS.leave:
    case LETTERS.drop:
      if (!isRoom(a) || !isSession(b) || !isUser(c)) return undefined;
      return { kind: letter === LETTERS.leave ? 'leave' : 'drop', room: a, session: b, user: c };
    case LETTERS.status:
      if (!isRoom(a) || !isSession(b) || !isUser(c) || !isOptionalStatus(d)) return undefined;
      return { kind: 'status', room: a, session: b, user: c, ...(d !== undefined && { status: d }) };
    case LETTERS.roster:
      if (!isRoom(a) || !isSession(b) || !isCount(c) || (d !== undefined && !isCount(d))) return undefined;
      return { kind: 'roster', room: a, session: b, question: c, ...(d !== undefined && { after: d }) };
    case LETTERS.connect:
      return isSession(a) && isUser(b) ? { kind: 'connect', session: a, user: b } : undefined;
    case LETTERS.disconnect:
      return isSession(a) && isUser(b) ? { kind: 'disconnect', session: a, user: b } : undefined;
    case LETTERS.enter:
    case LETTERS.exit:
      if (!isSession(a) || !isUser(b) || !isRoom(c)) return undefined;
      return { kind: letter === LETTERS.enter ? 'enter' : 'exit', session: a, user: b, room: c };
    case LETTERS.node_gone:
      return isText(a, INCARNATION_MAX_BYTES) ? { kind: 'node_gone', gone: a } : undefined;
    default:
      return undefined;
  }
}

const isRoom = (value: unknown): value is string => typeof value === 'string' && isRoomName(value);
const isSession = (value: unknown): value is string => isText(value, SESSION_ID_MAX_BYTES);
const isUser = (value: unknown): value is string => isText(value, USER_ID_MAX_BYTES);
const isName = (value: unknown): value is string => value === '' || isText(value, USER_NAME_MAX_BYTES);
const isOptionalStatus = (value: unknown): value is Status | undefined =>
  value === undefined || isReportedStatus(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
