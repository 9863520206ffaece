/** The text of an error for a person. */

export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
