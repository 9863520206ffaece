/** Reads the settings of a run from LOAD_* variables, which `npm run k6` sets from its options. */

const ENV: Readonly<Record<string, string | undefined>> = __ENV;

/** The secret of a development cluster without a configured one; packages/config warns about it. */
const DEVELOPMENT_JWT_SECRET = 'hubbub-development-secret-not-for-production';
const WHOLE_NUMBER = /^\d{1,9}$/;

/** Edges: `ws://host:port`, one or several. Sessions are spread over them. */
export const edgeUrls: readonly string[] = text('LOAD_URLS', 'ws://127.0.0.1:8080')
  .split(',')
  .map(url => url.trim().replace(/\/(ws)?$/, ''));
export const jwtSecret = text('LOAD_JWT_SECRET', DEVELOPMENT_JWT_SECRET);
/** Part of the names of users and rooms, so that two runs on one cluster do not share any. */
export const run = text('LOAD_RUN', 'k6');
/** Number of this k6 process, from 1. */
export const processNumber = wholeNumber('LOAD_PROCESS', 1);
/** File of the JSON summary; without it k6 prints a readable one. */
export const summaryFile = ENV.LOAD_SUMMARY;
/** Part of the scenario that this process runs; all parts by default. */
export const role = ENV.LOAD_ROLE;

/** Returns the beginning of the timetable, milliseconds since 1970: the same for all processes of a run. */
export function startsAt(): number {
  return ENV.LOAD_START_AT === undefined ? Date.now() : Number(ENV.LOAD_START_AT);
}

/** @throws {Error} if the value is not a whole number */
export function wholeNumber(name: string, byDefault: number): number {
  const value = ENV[name];
  if (value === undefined || value === '') return byDefault;
  if (!WHOLE_NUMBER.test(value)) throw new Error(`${name}: expected a whole number, got "${value}"`);
  return Number(value);
}

function text(name: string, byDefault: string): string {
  const value = ENV[name];
  return value === undefined || value === '' ? byDefault : value;
}
