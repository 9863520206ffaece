/** Reports: an edge's messages to presence about its sessions (docs/decisions/0001). */
import { utf8Length } from './limits.js';
import { isPlainObject } from './payload.js';

/** The status of a session in rosters: a string or an object, at most `STATUS_MAX_BYTES` as JSON. */
export type Status = string | Record<string, unknown>;

/** Reports for the partition of a room. */
export type RoomReport =
  | {
      readonly kind: 'join';
      readonly room: string;
      readonly session: string;
      readonly user: string;
      readonly name: string;
      readonly status?: Status;
      /** Reported before, under an earlier incarnation: a member that is still known is moved silently. */
      readonly resync?: boolean;
    }
  /** Left by itself (no grace) or by the end of its connection (the grace begins). */
  | { readonly kind: 'leave' | 'drop'; readonly room: string; readonly session: string; readonly user: string }
  | {
      readonly kind: 'status';
      readonly room: string;
      readonly session: string;
      readonly user: string;
      /** Absent: the status is taken back. */
      readonly status?: Status;
    }
  /** The session asks who is here; answered with `online_users`. */
  | {
      readonly kind: 'roster';
      readonly room: string;
      readonly session: string;
      /** Number of the question on its edge, which the answer names. */
      readonly question: number;
      /** `next` of the page before. */
      readonly after?: number;
    };

/** Reports for the partition of a user. */
export type UserReport =
  | { readonly kind: 'connect'; readonly session: string; readonly user: string }
  | { readonly kind: 'disconnect'; readonly session: string; readonly user: string }
  | { readonly kind: 'enter' | 'exit'; readonly session: string; readonly user: string; readonly room: string };

/** For every partition: all sessions of this incarnation dropped, and nothing it reports later counts. */
export interface NodeGoneReport {
  readonly kind: 'node_gone';
  readonly gone: string;
}

export type Report = RoomReport | UserReport | NodeGoneReport;

/** One entry of the log: what one edge reported in one tick, in order. */
export interface ReportBatch {
  /** The edge's incarnation: `<node id>/<unique>`. */
  readonly incarnation: string;
  readonly reports: readonly Report[];
}

export const SESSION_ID_MAX_BYTES = 64;
export const STATUS_MAX_BYTES = 256;
/** A status in a report may be larger: `user_info` of the Pusher protocol has up to 1,024 bytes. */
export const REPORTED_STATUS_MAX_BYTES = 1280;
/** A node id of 128 bytes, the slash, and what makes it unique. */
export const INCARNATION_MAX_BYTES = 192;

/** The node of an incarnation: its channel is where answers go. */
export function nodeOf(incarnation: string): string {
  const slash = incarnation.lastIndexOf('/');
  return slash < 0 ? incarnation : incarnation.slice(0, slash);
}

/** Whether a value can be a status: a string or an object of at most `STATUS_MAX_BYTES` as JSON. */
export function isStatus(value: unknown): value is Status {
  return isStatusOf(value, STATUS_MAX_BYTES);
}

/** Whether a value can be the status of a report: up to `REPORTED_STATUS_MAX_BYTES`. */
export function isReportedStatus(value: unknown): value is Status {
  return isStatusOf(value, REPORTED_STATUS_MAX_BYTES);
}

function isStatusOf(value: unknown, maxBytes: number): value is Status {
  if (typeof value !== 'string' && !isPlainObject(value)) return false;
  return utf8Length(JSON.stringify(value)) <= maxBytes;
}
