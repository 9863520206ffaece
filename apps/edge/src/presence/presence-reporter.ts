/** Reports this edge's sessions to presence: connects, joins, leaves, drops, questions. */
import type { NodeLeases, ReportLog } from '@hubbub/broker';
import { DEFAULT_PARTITIONS, partitionOf, type Report, type Sender, type Status, WIRE_VERSION } from '@hubbub/protocol';
import type { Logger } from '@hubbub/runtime';
import type { ReportBacklog } from './partition-queues.js';
import { type AddressedReport, ReportCourier } from './report-courier.js';

/** The part of a session that presence gets. */
export interface ReportedSession {
  readonly id: string;
  readonly user: Sender;
  /** The user that the roster of a room shows for it. */
  userIn(room: string): Sender;
  /** Only open sessions are reported. */
  readonly state: 'opening' | 'open' | 'closed';
  /** The rooms it is in, by name. */
  readonly rooms: Iterable<string>;
  /** The session's status in the rosters of the room. */
  statusIn(room: string): Status | undefined;
}

export interface PresenceReporterOptions {
  readonly log: ReportLog;
  readonly leases: NodeLeases;
  readonly nodeId: string;
  /** Default 16; the same for all processes of the cluster. */
  readonly partitions?: number;
  /** Default: the wire version of this release. */
  readonly wireVersionMax?: number;
  /** Whether this edge receives what presence sends. A resync waits for that, but not for long. Default: always. */
  readonly isSubscribed?: () => boolean;
  /** All sessions of this edge, for a resync of presence. */
  snapshot(): Iterable<ReportedSession>;
  /** The question may not have reached presence. */
  refuseQuestion(question: number): void;
  readonly logger: Logger;
}

/** Of the statuses that a session sets in this time only the last one is reported. */
const STATUS_TICK_MS = 50;

/**
 * Takes everything immediately and never throws. While presence is away, changes are collected; the current state is
 * reported when it is back.
 *
 * @example
 * const reporter = new PresenceReporter({ log, leases, nodeId, snapshot: () => sessions, logger });
 * reporter.start();
 * reporter.joined(session, 'general'); // the session gets `room_info` on the node's channel
 */
export class PresenceReporter {
  readonly #courier: ReportCourier;
  readonly #partitions: number;
  readonly #snapshot: () => Iterable<ReportedSession>;
  readonly #refuseQuestion: (question: number) => void;
  /** Joins that presence may not have answered: a resync reports them as new, the others not. */
  readonly #unanswered = new Set<string>();
  readonly #changedStatus = new Set<ReportedSession>();
  #statusTimer: NodeJS.Timeout | undefined;
  #repeatedJoins = 0;

  constructor(options: PresenceReporterOptions) {
    const { log, leases, nodeId, logger, partitions = DEFAULT_PARTITIONS, wireVersionMax = WIRE_VERSION } = options;
    this.#partitions = partitions;
    this.#snapshot = () => options.snapshot();
    this.#refuseQuestion = question => options.refuseQuestion(question);
    this.#courier = new ReportCourier({
      log,
      leases,
      nodeId,
      wireVersionMax,
      logger,
      partitions,
      isSubscribed: options.isSubscribed ?? (() => true),
      everything: () => this.#everything(),
      lost: reports => this.#lost(reports),
    });
  }

  /** Whether presence can be reached, as far as this edge knows. */
  get isReporting(): boolean {
    return this.#courier.isReporting;
  }

  /** The backlog between this edge and presence. */
  get backlog(): ReportBacklog {
    return this.#courier.backlog;
  }

  /** Reports that the log has not taken. */
  get waiting(): number {
    return this.#courier.waiting;
  }

  /** This edge as presence knows it: `<node id>/<unique>`, a new one after each resync. */
  get incarnation(): string {
    return this.#courier.incarnation;
  }

  /** The version in which this edge writes: every living node reads it. */
  get wireVersion(): number {
    return this.#courier.wireVersion;
  }

  /** Renewals of this edge's lease by a thread, because the event loop was late. */
  get lateRenewals(): number {
    return this.#courier.lateRenewals;
  }

  /** Joins that presence knew already, reported again by resyncs. */
  get repeatedJoins(): number {
    return this.#repeatedJoins;
  }

  start(): void {
    this.#courier.start();
  }

  sessionOpened(session: ReportedSession): void {
    this.#ofUser({ kind: 'connect', session: session.id, user: session.user.id }, true);
  }

  /** The connection ended: call it while `session.rooms` still names the rooms it was in. */
  sessionClosed(session: ReportedSession): void {
    this.#changedStatus.delete(session);
    for (const room of session.rooms) {
      this.#unanswered.delete(joinKey(session.id, room));
      this.#ofRoom({ kind: 'drop', room, session: session.id, user: session.userIn(room).id });
    }
    this.#ofUser({ kind: 'disconnect', session: session.id, user: session.user.id });
  }

  /** @param isMember the session is in the room already: it is answered with `room_info` again */
  joined(session: ReportedSession, room: string, isMember = false): void {
    if (!this.#ofRoom(joinOf(session, room, false), !isMember)) this.#unanswered.add(joinKey(session.id, room));
    this.#ofUser({ kind: 'enter', session: session.id, user: session.user.id, room }, !isMember);
  }

  /** The session left by itself: no grace. */
  left(session: ReportedSession, room: string): void {
    this.#unanswered.delete(joinKey(session.id, room));
    this.#ofRoom({ kind: 'leave', room, session: session.id, user: session.userIn(room).id });
    this.#ofUser({ kind: 'exit', session: session.id, user: session.user.id, room });
  }

  /**
   * The session's status changed: with the next tick every room it is in then gets to see the one that it has then.
   * Returns false where a change of the same tick is to be reported already.
   */
  statusSet(session: ReportedSession): boolean {
    if (this.#changedStatus.has(session)) return false;
    this.#changedStatus.add(session);
    this.#statusTimer ??= setTimeout(() => this.#reportStatuses(), STATUS_TICK_MS);
    return true;
  }

  #reportStatuses(): void {
    this.#statusTimer = undefined;
    for (const session of this.#changedStatus) {
      for (const room of session.rooms) {
        const status = session.statusIn(room);
        const user = session.userIn(room).id;
        this.#ofRoom({ kind: 'status', room, session: session.id, user, ...(status !== undefined && { status }) });
      }
    }
    this.#changedStatus.clear();
  }

  /**
   * Asks for `online_users`. False: presence cannot be asked now, and `refuseQuestion` may have been called.
   * @param question names it in the answer, on this node's channel
   * @param after `next` of the page before
   */
  askRoster(session: Pick<ReportedSession, 'id'>, room: string, question: number, after?: number): boolean {
    return this.#ofRoom({
      kind: 'roster',
      room,
      session: session.id,
      question,
      ...(after !== undefined && { after }),
    });
  }

  /** Notifies presence that this edge and its sessions go. Never rejects. */
  close(): Promise<void> {
    clearTimeout(this.#statusTimer);
    return this.#courier.close();
  }

  *#everything(): Iterable<AddressedReport> {
    for (const session of this.#snapshot()) {
      if (session.state !== 'open') continue;
      const { id, user } = session;
      yield this.#addressed(user.id, { kind: 'connect', session: id, user: user.id });
      for (const room of session.rooms) {
        const isRepeated = !this.#unanswered.has(joinKey(id, room));
        if (isRepeated) this.#repeatedJoins++;
        yield this.#addressed(room, joinOf(session, room, isRepeated));
        yield this.#addressed(user.id, { kind: 'enter', session: id, user: user.id, room });
      }
    }
    this.#unanswered.clear();
  }

  #lost(reports: readonly Report[]): void {
    for (const report of reports) {
      if (report.kind === 'join' && report.resync !== true) this.#unanswered.add(joinKey(report.session, report.room));
      if (report.kind === 'roster') this.#refuseQuestion(report.question);
    }
  }

  #ofRoom(report: Report & { readonly room: string }, isNew = false): boolean {
    return this.#courier.add(partitionOf(report.room, this.#partitions), report, isNew);
  }

  #ofUser(report: Report & { readonly user: string }, isNew = false): boolean {
    return this.#courier.add(partitionOf(report.user, this.#partitions), report, isNew);
  }

  #addressed(key: string, report: Report): AddressedReport {
    return { partition: partitionOf(key, this.#partitions), report };
  }
}

function joinOf(session: ReportedSession, room: string, resync: boolean): Report & { readonly room: string } {
  const user = session.userIn(room);
  const status = session.statusIn(room);
  const join = { kind: 'join', room, session: session.id, user: user.id, name: user.name } as const;
  if (status === undefined && !resync) return join; // Most joins have neither, and a spread costs more than the rest.
  return {
    ...join,
    ...(status !== undefined && { status }),
    ...(resync && { resync }),
  };
}

/** Neither a session's id nor a room's name has a space in it. */
function joinKey(session: string, room: string): string {
  return `${session} ${room}`;
}
