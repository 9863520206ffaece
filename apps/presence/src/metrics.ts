/** The metrics and logs of presence: one function for each event. No label names a room, a user or a session. */
import { type LabeledValue, type Logger, type MetricsRegistry, metricsKit, occasionally } from '@hubbub/runtime';

const OCCASIONALLY_MS = 10_000;

export interface PartitionTotals {
  readonly owned: number;
  readonly rooms: number;
  readonly rosterUsers: number;
  readonly usersOnline: number;
}

/** Values that a scrape reads. */
export interface PresenceGauges {
  /** Partitions of the registry: HUBBUB_PRESENCE_PARTITIONS. */
  partitions(): number;
  /** Whether the last round succeeded, as in `/readyz`. */
  ready(): boolean;
  /** Users in the largest roster of the partitions owned here. */
  largestRoster(): number;
  readonly wire: { readonly written: number; readonly lowest: number };
}

export type PresenceMetrics = ReturnType<typeof createPresenceMetrics>;

export function createPresenceMetrics(registry: MetricsRegistry, logger: Logger) {
  const kit = metricsKit(registry);
  const counter = (name: string, help: string) => kit.counter(`hubbub_presence_${name}`, help);
  const gauge = (name: string, help: string, read: () => number) => kit.gauge(`hubbub_presence_${name}`, help, read);

  let totals: PartitionTotals = { owned: 0, rooms: 0, rosterUsers: 0, usersOnline: 0 };
  gauge('partitions_owned', 'Partitions that this instance owns.', () => totals.owned);
  gauge('rooms', 'Rooms with at least one member in the partitions of this instance.', () => totals.rooms);
  gauge(
    'roster_users',
    "Users in the rosters of this instance's partitions; a user in two rooms counts twice.",
    () => totals.rosterUsers,
  );
  gauge('users_online', 'Users online in the partitions of this instance.', () => totals.usersOnline);
  const lags = new Map<number, number>();
  kit.gaugeBy(
    'hubbub_presence_stream_lag_seconds',
    'Age of the oldest report in the last read of a partition that this instance owns; 0 if the read found no report.',
    ['partition'],
    () => [...lags].map(([partition, seconds]): LabeledValue<'partition'> => [{ partition: `${partition}` }, seconds]),
  );

  const countMalformed = counter('malformed_reports_total', 'Malformed reports, which presence dropped.');
  const countUnsupported = counter(
    'unsupported_reports_total',
    'Entries of reports in a wire version that this release does not read, which presence dropped.',
  );
  const countStale = counter(
    'stale_commits_total',
    'Commits that Redis refused: another instance owns the partition, or the server changed.',
  );
  const countLost = counter(
    'lost_partitions_total',
    'Claimed partitions whose data in Redis was missing, or older than the last commit.',
  );
  const countClaims = counter('claims_total', 'Partitions that this instance claimed.');
  const countReaped = counter('reaped_nodes_total', 'Dead edges that presence reaped.');
  const countHolds = counter(
    'reaping_holds_total',
    'Times that presence declared no edge dead for half a lease, because checks were overdue.',
  );
  const countOrphaned = counter('orphaned_incarnations_total', 'Incarnations of edges in a partition without a lease.');
  const countFailures = counter(
    'failures_total',
    'Rounds that failed because Redis did not answer or returned an error.',
  );
  const warnMalformed = occasionally(OCCASIONALLY_MS, suppressed =>
    logger.warn({ event: 'malformed_reports', suppressed }, 'Malformed reports in the log were dropped.'),
  );
  const warnUnsupported = occasionally(OCCASIONALLY_MS, suppressed =>
    logger.warn(
      { event: 'unsupported_version', suppressed },
      'dropped reports in a wire version that this release does not read; their edge reports its sessions again',
    ),
  );
  const warnFailure = occasionally(OCCASIONALLY_MS, (suppressed, error: unknown) =>
    logger.warn(
      { event: 'presence_failure', err: error, suppressed },
      'A round of presence failed; it is tried again.',
    ),
  );

  return {
    observe({ partitions, ready, largestRoster, wire }: PresenceGauges): void {
      gauge('partitions', 'Partitions of the registry (HUBBUB_PRESENCE_PARTITIONS), owned or not.', partitions);
      gauge('ready', '1 if the last round succeeded, else 0.', () => (ready() ? 1 : 0));
      gauge('wire_version', 'Wire version in which this instance writes.', () => wire.written);
      gauge(
        'lowest_wire_version',
        'Highest wire version that every living edge and instance reads.',
        () => wire.lowest,
      );
      gauge('largest_roster_users', "Users in the largest roster of this instance's partitions.", largestRoster);
    },
    totals(current: PartitionTotals): void {
      totals = current;
    },
    applied: counter('reports_applied_total', 'Reports of edges that presence applied.'),
    malformed(reports: number): void {
      countMalformed(reports);
      warnMalformed();
    },
    unsupported(): void {
      countUnsupported();
      warnUnsupported();
    },
    sessionsRefused: counter('sessions_refused_total', 'Sessions ended because their user had too many.'),
    keptMembersRemoved: counter(
      'kept_members_removed_total',
      'Kept members removed because more than HUBBUB_MAX_KEPT_ROOMS_PER_USER rooms of a partition kept their user.',
    ),
    lag(partition: number, seconds: number): void {
      lags.set(partition, seconds);
    },
    /** The partition has another owner, which reports its lag. */
    left(partition: number): void {
      lags.delete(partition);
    },
    committed: counter('commits_total', 'Commits that Redis executed.'),
    /** The claims of one round; `lost` of them found no data, or old data. */
    claimed(partitions: readonly number[], lost: number): void {
      countClaims(partitions.length);
      countLost(lost);
      logger.info(
        { event: 'partitions_claimed', partitions, lost },
        `presence owns ${partitions.length === 1 ? 'a partition' : `${partitions.length} partitions`} more`,
      );
    },
    released(partitions: readonly number[]): void {
      logger.info({ event: 'partitions_released', partitions }, 'partitions were handed over');
    },
    stale(partition: number): void {
      countStale();
      logger.warn({ event: 'partition_stale', partition }, 'A partition has another owner now, or was lost.');
    },
    /**
     * @param lost partitions without data; the data of the others may be old
     * @param wereKnown whether the partitions existed before: at the first start of a cluster they did not
     */
    edgesFenced(partitions: readonly number[], { lost, wereKnown }: { lost: number; wereKnown: boolean }): void {
      const cause = lost > 0 ? 'lost partitions' : 'Redis restarted or failed over, perhaps with older data';
      logger[wereKnown ? 'warn' : 'info'](
        { event: 'edges_fenced', partitions, lost },
        wereKnown ? `${cause}; every edge reports its sessions again` : 'began with an empty registry',
      );
    },
    /** @param goesOn the edge lives under a later incarnation: it was fenced, and has reported everything again. */
    reaped(incarnation: string, goesOn: boolean): void {
      countReaped();
      logger[goesOn ? 'info' : 'warn'](
        { event: 'node_reaped', incarnation },
        goesOn ? 'reaped a former incarnation of an edge' : 'reaped a dead edge; its sessions leave',
      );
    },
    /** @param ms in which edges can renew their leases */
    reapingHeld(ms: number): void {
      countHolds();
      logger.warn({ event: 'reaping_held', ms }, 'Redis or presence was stalled; edges get time to renew their leases');
    },
    orphaned(incarnation: string): void {
      countOrphaned();
      logger.info({ event: 'incarnation_orphaned', incarnation }, 'Sessions without a lease behind them leave.');
    },
    failed(error: unknown): void {
      countFailures();
      warnFailure(error);
    },
  };
}
