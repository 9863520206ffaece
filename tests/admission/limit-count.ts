/** How often a limit was exceeded, from the metrics of an edge. */
import { type Measured, metricValue } from '@hubbub/tools/kit';

/** @throws {Error} when the metrics do not know the limit: a misspelt name is not a zero */
export async function limitCount(edge: Measured, limit: string): Promise<number> {
  return await metricValue(edge, `hubbub_edge_limits_total{limit="${limit}"}`);
}
