/** Finds cycles of imports. */

/** Returns the cycles found on a walk from every node, each as a path that ends at its first node. */
export function findCycles(graph: ReadonlyMap<string, Iterable<string>>): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const road: string[] = [];
  const walk = (node: string) => {
    const at = road.indexOf(node);
    if (at >= 0) cycles.push([...road.slice(at), node]);
    if (at >= 0 || done.has(node)) return;
    road.push(node);
    for (const next of graph.get(node) ?? []) walk(next);
    road.pop();
    done.add(node);
  };
  for (const node of graph.keys()) walk(node);
  return cycles;
}
