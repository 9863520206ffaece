/** When a silent room is compared with its history: soon after its last message, and ever more rarely after that. */

/** Rounds between two checks of a room that has been silent for long. */
const ROUNDS_MAX = 16;

/**
 * Decides when a silent room is checked. A message lost at the end of a talk is found in the next round; rooms without talk
 * cost little. Due in rounds 1, 2, 4, 8, 16, and then every 16th: after 5, 10, 20, 40, 80, 160, 240 … s by default. Each
 * check renews the position, which lives twice as long as the history: there is at least one check per life of the history.
 * @param silentRounds how many rounds have passed without a message, from 1
 */
export function isCheckDue(
  silentRounds: number,
  { checkIntervalMs, historyTtlMs }: { readonly checkIntervalMs: number; readonly historyTtlMs: number },
): boolean {
  const every = Math.min(ROUNDS_MAX, Math.max(1, Math.floor(historyTtlMs / checkIntervalMs)));
  const isPowerOfTwo = (silentRounds & (silentRounds - 1)) === 0;
  return silentRounds % every === 0 || (isPowerOfTwo && silentRounds < every);
}
