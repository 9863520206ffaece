/** How often a limit was exceeded, as the metrics of an edge say. */
import type { TestEdge } from '../support/cluster.js';

/** @throws {Error} when the metrics do not know the limit: a misspelt name is not a zero */
export async function limitCount(edge: Pick<TestEdge, 'adminUrl'>, limit: string): Promise<number> {
  return await metricValue(edge, `hubbub_edge_limits_total{limit="${limit}"}`);
}

/** @param name with its labels @throws {Error} when there is no such metric */
export async function metricValue({ adminUrl }: Pick<TestEdge, 'adminUrl'>, name: string): Promise<number> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  const line = text.split('\n').find(candidate => candidate.startsWith(`${name} `));
  if (line === undefined) throw new Error(`The metrics have no ${name}.`);
  return Number(line.slice(name.length + 1));
}
