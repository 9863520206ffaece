export const USAGE: string;
/** @throws {Error} with what would be right */
export function readOptions(args: readonly string[]): Readonly<Record<string, unknown>>;
