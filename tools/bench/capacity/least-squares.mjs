/** Fits costs of actions to measurements. */

const PASSES = 20_000;

/**
 * Returns the costs, none below zero, with the smallest sum of squares of relative errors (coordinate descent).
 * @param {readonly { work: Record<string, number>, cost: number }[]} samples counts by action, and their cost together
 * @returns {Record<string, number>} by action; actions that no sample contains are missing
 */
export function fitCosts(samples) {
  const actions = Object.keys(samples[0].work).filter(action => samples.some(({ work }) => work[action] > 0));
  const rows = samples.map(({ work, cost }) => actions.map(action => work[action] / cost));
  const costs = actions.map(() => 0);
  // Unexplained part of each sample: 1 at first, because all values are relative to its cost.
  const missing = rows.map(() => 1);
  for (let pass = 0; pass < PASSES; pass++) {
    for (const action of costs.keys()) {
      const square = rows.reduce((sum, row) => sum + row[action] ** 2, 0);
      const step = rows.reduce((sum, row, i) => sum + row[action] * missing[i], 0) / square;
      const next = Math.max(0, costs[action] + step);
      for (const [i, row] of rows.entries()) missing[i] -= row[action] * (next - costs[action]);
      costs[action] = next;
    }
  }
  return Object.fromEntries(actions.map((action, i) => [action, costs[i]]));
}
