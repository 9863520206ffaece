/** Which partitions an instance should own: equal shares, and the same answer everywhere. */

export function assignedTo(instance: string, living: readonly string[], partitions: number): Set<number> {
  const mine = living.indexOf(instance);
  const assigned = new Set<number>();
  if (mine < 0) return assigned;
  for (let partition = mine; partition < partitions; partition += living.length) assigned.add(partition);
  return assigned;
}
