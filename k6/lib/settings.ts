/** What a run is told through its environment: LOAD_* variables, which `npm run k6` sets from its options. */

const ENV: Readonly<Record<string, string | undefined>> = __ENV;

/** Of a cluster in development that was given no secret: packages/config announces it loudly. */
const DEVELOPMENT_JWT_SECRET = 'hubbub-development-secret-not-for-production';
const WHOLE_NUMBER = /^\d{1,9}$/;

/** Edges: `ws://host:port`, one or several. Sessions are spread over them. */
export const edgeUrls: readonly string[] = text('LOAD_URLS', 'ws://127.0.0.1:8080')
  .split(',')
  .map(url => url.trim().replace(/\/(ws)?$/, ''));
export const jwtSecret = text('LOAD_JWT_SECRET', DEVELOPMENT_JWT_SECRET);
/** Names users and rooms of this run, so that two runs on one cluster do not meet. */
export const run = text('LOAD_RUN', 'k6');
/** Which of several k6 processes this is, counted from 1. */
export const processNumber = wholeNumber('LOAD_PROCESS', 1);
/** Where the summary goes as JSON; without it k6 prints one for people. */
export const summaryFile = ENV.LOAD_SUMMARY;
/** Which part of a scenario this process plays; without it, all. */
export const role = ENV.LOAD_ROLE;

/** Milliseconds since 1970 at which the timetable of the scenario begins: the same for all processes of a run. */
export function startsAt(): number {
  return ENV.LOAD_START_AT === undefined ? Date.now() : Number(ENV.LOAD_START_AT);
}

/** @throws {Error} naming what is not a whole number */
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
