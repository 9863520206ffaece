/** What a reader wants to know first: targets kept or missed, and whether every message arrived once and in order. */

/** @param {readonly object[]} summaries @param {Record<string, Record<string, number>>} targets lowest ratios */
export function targetVerdicts(summaries, targets) {
  return summaries.flatMap(({ rate, relay, ratios }) =>
    Object.entries(ratios === undefined ? {} : (targets[relay] ?? {})).map(([key, lowest]) => {
      const { median } = ratios[key];
      if (!Number.isFinite(median))
        return `${relay} at ${rate.toLocaleString('en-US')} msg/s: not measured undisturbed`;
      const verdict = median >= lowest ? 'kept' : 'MISSED';
      return `${relay} at ${rate.toLocaleString('en-US')} msg/s: ${key} is ${median.toFixed(3)} of bare, target ${lowest}: ${verdict}`;
    }),
  );
}

/** Whether anything was lost, repeated, out of order or cut off in any round, the warm-up included. */
export function isClean(rows) {
  return rows.every(row => row.lost === 0 && row.repeated === 0 && row.ended.length === 0);
}

/** What makes the figures less than they seem. @param {readonly object[]} rows @param {number} loadCores */
export function cautions(rows, loadCores) {
  const busiest = Math.max(...rows.map(row => row.loadCpu ?? 0)) / loadCores;
  const words = [];
  if (busiest > 0.95)
    words.push(
      `The load's cores were up to ${Math.round(busiest * 100)} % busy: at that rate the figures say as much of the load generator as of the relays, and latencies include its queue.`,
    );
  const disturbed = rows.filter(row => row.disturbed && !row.warmUp).length;
  if (disturbed > 0) {
    words.push(
      `${disturbed} of the measurements were disturbed by other processes; they are among the raw rounds but not in medians and ratios.`,
    );
  }
  const troubles = [
    ...new Set(rows.flatMap(row => Object.keys(row.relayTroubles).map(event => `${row.relay}: ${event}`))),
  ];
  if (troubles.length > 0) words.push(`The relays complained: ${troubles.join('; ')}.`);
  if (!isClean(rows)) words.push('Messages were lost or repeated, or members cut off: see the raw rounds.');
  return words;
}
