/** Compares a reader's position with the entries that a lifecycle stream still has, so that it notices a gap. */
import { isBefore, LOG_START, type LogPosition } from '../report-log.js';
import type { RedisTopology } from './topology.js';
import { orUnavailable } from './unavailable.js';

const SEQUENCE_MAX = '18446744073709551615';

export interface StreamState {
  /** A reader that continues after it gets every entry that the stream still has. */
  readonly beforeFirst: LogPosition;
  readonly newest: LogPosition;
  /** The stream has lost no entry since it began. */
  readonly isWhole: boolean;
}

/** @throws {HubbubError} `UNAVAILABLE` */
export async function streamState(redis: RedisTopology, stream: string): Promise<StreamState> {
  const info = (await orUnavailable(() =>
    redis.run(stream, server => server.call('XINFO', 'STREAM', stream)).catch(nothingWithoutStream),
  )) as readonly unknown[] | undefined;
  if (info === undefined) return { beforeFirst: LOG_START, newest: LOG_START, isWhole: true };
  const field = (name: string): unknown => info[info.indexOf(name) + 1];
  const first = field('first-entry');
  const newest = String(field('last-generated-id'));
  return {
    newest,
    beforeFirst: Array.isArray(first) ? positionBefore(String(first[0])) : newest,
    isWhole: field('entries-added') === field('length'),
  };
}

/** Where a reader that was at `position` continues, and whether it has missed entries. */
export function continueAt(position: LogPosition, state: StreamState): { from: LogPosition; hasMissed: boolean } {
  // The server has older data: the reader has seen more than there is.
  if (isBefore(state.newest, position)) return { from: state.newest, hasMissed: true };
  const hasAll = !isBefore(position, state.beforeFirst) || (position === LOG_START && state.isWhole);
  return hasAll ? { from: position, hasMissed: false } : { from: state.beforeFirst, hasMissed: true };
}

function positionBefore(id: string): LogPosition {
  const [ms = '0', sequence = '0'] = id.split('-');
  return sequence === '0' ? `${Number(ms) - 1}-${SEQUENCE_MAX}` : `${ms}-${BigInt(sequence) - 1n}`;
}

function nothingWithoutStream(error: unknown): undefined {
  if (error instanceof Error && error.message.includes('no such key')) return undefined;
  throw error;
}
