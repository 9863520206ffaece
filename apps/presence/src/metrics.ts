/** The metrics and logs of presence: one function for each event. No label names a room, a user or a session. */
import { type MetricsRegistry, occasionally } from '@hubbub/runtime';
import { Counter, Gauge } from 'prom-client';

const OCCASIONALLY_MS = 10_000;

/** The part of a logger that is used here. */
export interface PresenceLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface PartitionTotals {
  readonly owned: number;
  readonly rooms: number;
  readonly rosterUsers: number;
  readonly usersOnline: number;
}

/** Read when scraped, from those who know. */
export interface PresenceGauges {
  /** Partitions of the registry: HUBBUB_PRESENCE_PARTITIONS. */
  partitions(): number;
  /** Whether the last round went well, as `/readyz` has it. */
  ready(): boolean;
  /** Users in the largest roster of the partitions owned here. */
  largestRoster(): number;
}

export class PresenceMetrics {
  readonly #logger: PresenceLogger;
  readonly #owned: Gauge;
  readonly #rooms: Gauge;
  readonly #rosterUsers: Gauge;
  readonly #usersOnline: Gauge;
  readonly #applied: Counter;
  readonly #malformed: Counter;
  readonly #registers: MetricsRegistry[];
  readonly #lag: Gauge<'partition'>;
  readonly #commits: Counter;
  readonly #stale: Counter;
  readonly #lost: Counter;
  readonly #claims: Counter;
  readonly #reaped: Counter;
  readonly #orphaned: Counter;
  readonly #refused: Counter;
  readonly #keptRemoved: Counter;
  readonly #failures: Counter;
  readonly #warnMalformed: () => void;
  #lastFailure: unknown;
  readonly #warnFailure: () => void;

  constructor(registry: MetricsRegistry, logger: PresenceLogger) {
    this.#logger = logger;
    const registers = [registry];
    this.#registers = registers;
    const gauge = (name: string, help: string) => new Gauge({ name: `hubbub_presence_${name}`, help, registers });
    const counter = (name: string, help: string) => new Counter({ name: `hubbub_presence_${name}`, help, registers });
    this.#owned = gauge('partitions_owned', 'Partitions that this instance owns.');
    this.#rooms = gauge('rooms', 'Rooms with at least one member in the partitions of this instance.');
    this.#rosterUsers = gauge(
      'roster_users',
      "Users in the rosters of this instance's partitions; a user in two rooms counts twice.",
    );
    this.#usersOnline = gauge('users_online', 'Users online in the partitions of this instance.');
    this.#applied = counter('reports_applied_total', 'Reports of edges that presence applied.');
    this.#malformed = counter('malformed_reports_total', 'Malformed reports, which presence dropped.');
    this.#lag = new Gauge({
      name: 'hubbub_presence_stream_lag_seconds',
      help: 'Age of the oldest report in the last read of a partition that this instance owns; 0 if the read found no report.',
      labelNames: ['partition'] as const,
      registers,
    });
    this.#commits = counter('commits_total', 'Commits that Redis executed.');
    this.#stale = counter(
      'stale_commits_total',
      'Commits that Redis refused because another instance owns the partition.',
    );
    this.#lost = counter('lost_partitions_total', 'Claimed partitions whose data was missing in Redis.');
    this.#claims = counter('claims_total', 'Partitions that this instance claimed.');
    this.#reaped = counter('reaped_nodes_total', 'Dead edges that presence reaped.');
    this.#orphaned = counter('orphaned_incarnations_total', 'Incarnations of edges in a partition without a lease.');
    this.#refused = counter('sessions_refused_total', 'Sessions ended because their user had too many.');
    this.#keptRemoved = counter(
      'kept_members_removed_total',
      'Kept members removed because more than HUBBUB_MAX_KEPT_ROOMS_PER_USER rooms of a partition kept their user.',
    );
    this.#failures = counter('failures_total', 'Rounds that failed because Redis did not answer or returned an error.');
    this.#warnMalformed = occasionally(OCCASIONALLY_MS, suppressed =>
      logger.warn({ event: 'malformed_reports', suppressed }, 'Malformed reports in the log were dropped.'),
    );
    this.#warnFailure = occasionally(OCCASIONALLY_MS, suppressed =>
      logger.warn(
        { event: 'presence_failure', err: this.#lastFailure, suppressed },
        'A round of presence failed; it is tried again.',
      ),
    );
  }

  observe(gauges: PresenceGauges): void {
    const gauge = (name: string, help: string, read: () => number): void => {
      new Gauge({
        name: `hubbub_presence_${name}`,
        help,
        registers: this.#registers,
        collect() {
          this.set(read());
        },
      });
    };
    gauge('partitions', 'Partitions of the registry (HUBBUB_PRESENCE_PARTITIONS), owned or not.', gauges.partitions);
    gauge('ready', '1 if the last round succeeded, else 0.', () => (gauges.ready() ? 1 : 0));
    gauge('largest_roster_users', "Users in the largest roster of this instance's partitions.", gauges.largestRoster);
  }

  totals({ owned, rooms, rosterUsers, usersOnline }: PartitionTotals): void {
    this.#owned.set(owned);
    this.#rooms.set(rooms);
    this.#rosterUsers.set(rosterUsers);
    this.#usersOnline.set(usersOnline);
  }

  applied(reports: number): void {
    this.#applied.inc(reports);
  }

  malformed(reports: number): void {
    this.#malformed.inc(reports);
    this.#warnMalformed();
  }

  sessionsRefused(sessions: number): void {
    this.#refused.inc(sessions);
  }

  keptMembersRemoved(members: number): void {
    this.#keptRemoved.inc(members);
  }

  lag(partition: number, seconds: number): void {
    this.#lag.set({ partition }, seconds);
  }

  /** The partition is not owned any more: its new owner reports the lag. */
  left(partition: number): void {
    this.#lag.remove({ partition });
  }

  committed(): void {
    this.#commits.inc();
  }

  /** The claims of one round. */
  claimed(partitions: readonly number[], lost: readonly number[]): void {
    this.#claims.inc(partitions.length);
    this.#lost.inc(lost.length);
    this.#logger.info(
      { event: 'partitions_claimed', partitions, lost: lost.length },
      `presence owns ${partitions.length === 1 ? 'a partition' : `${partitions.length} partitions`} more`,
    );
  }

  released(partitions: readonly number[]): void {
    this.#logger.info({ event: 'partitions_released', partitions }, 'partitions were handed over');
  }

  stale(partition: number): void {
    this.#stale.inc();
    this.#logger.warn({ event: 'partition_stale', partition }, 'A partition has another owner now, or was lost.');
  }

  /** @param wereKnown whether this instance has seen something of them: at the first start of a cluster nobody has. */
  edgesFenced(partitions: readonly number[], wereKnown: boolean): void {
    const fields = { event: 'edges_fenced', partitions };
    if (wereKnown) this.#logger.warn(fields, 'partitions were lost: every edge reports its sessions again');
    else this.#logger.info(fields, 'the registry begins empty: every edge reports its sessions');
  }

  /** @param goesOn the edge lives under a later incarnation: it was fenced, and has reported everything again. */
  reaped(incarnation: string, goesOn: boolean): void {
    this.#reaped.inc();
    const fields = { event: 'node_reaped', incarnation };
    if (goesOn) this.#logger.info(fields, 'a former incarnation of an edge is over');
    else this.#logger.warn(fields, 'an edge is dead; its sessions leave');
  }

  orphaned(incarnation: string): void {
    this.#orphaned.inc();
    this.#logger.info({ event: 'incarnation_orphaned', incarnation }, 'Sessions without a lease behind them leave.');
  }

  failed(error: unknown): void {
    this.#failures.inc();
    this.#lastFailure = error;
    this.#warnFailure();
  }
}
