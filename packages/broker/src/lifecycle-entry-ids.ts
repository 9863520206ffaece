/** Ids of what a group of the lifecycle log gets: an event of a stream, a replayed event, or a gap. */

export type LifecycleEntryId =
  | { readonly from: 'stream'; readonly partition: number; readonly id: string }
  | { readonly from: 'replays'; readonly id: string }
  | { readonly from: 'gap'; readonly id: string };

/** `p3/1700000000000-0`: unique in the cluster. */
export function lifecycleEntryId(partition: number, id: string): string {
  return `p${partition}/${id}`;
}

export const replayEntryId = (id: string): string => `replay/${id}`;
export const gapEntryId = (id: string): string => `gap/${id}`;

/** @throws {RangeError} for what the functions above did not make. */
export function parseLifecycleEntryId(entryId: string): LifecycleEntryId {
  const [, place = '', id = ''] = /^(p\d+|replay|gap)\/(\d+-\d+)$/.exec(entryId) ?? [];
  if (place === 'replay') return { from: 'replays', id };
  if (place === 'gap') return { from: 'gap', id };
  if (place !== '') return { from: 'stream', partition: Number(place.slice(1)), id };
  throw new RangeError(`no lifecycle entry: ${entryId}`);
}
