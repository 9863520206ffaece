/** Parsers that turn an environment variable or a file value into a setting. */
import { isIP } from 'node:net';
import { z } from 'zod';

export const MINUTE_MS = 60_000;

/** Environment variables are text; a file may hold numbers. Validation refuses any other value. */
export function integer(min: number, max: number) {
  const error = `expected a whole number from ${min} to ${max}`;
  return z.preprocess(
    value => (typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value),
    z.int({ error }).min(min, { error }).max(max, { error }),
  );
}

/** A number from 0 to 1. */
export function fraction() {
  const error = 'expected a number from 0 to 1, such as 0.01';
  return z.preprocess(
    value => (typeof value === 'string' && /^\d*\.?\d+$/.test(value) ? Number(value) : value),
    z.number({ error }).min(0, { error }).max(1, { error }),
  );
}

/** Comma-separated in a variable, one item a line in the file of a secret, a list in the configuration file. @param what names an item, with an example */
export function list(what: string, isItem: (item: string) => boolean = item => item !== '') {
  const error = `expected a list of ${what}, separated by commas`;
  return z.preprocess(
    value => (typeof value === 'string' ? splitAtCommas(value) : value === null ? [] : value),
    z.array(z.string({ error }).refine(isItem, { error }), { error }),
  );
}

export function splitAtCommas(text: string): string[] {
  return text
    .split(/[,\n]/)
    .map(item => item.trim())
    .filter(item => item !== '');
}

/** Checks for text that a header can carry, because keys travel in one (RFC 9110 section 5.5). */
export function isHeaderText(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

/** Non-empty text. */
export function nonEmpty(expected: string) {
  const error = `expected ${expected}`;
  return z.string({ error }).min(1, { error });
}

/** An address to bind a port to. */
export const host = z
  .string({ error: 'expected an address to listen on, such as 127.0.0.1, 0.0.0.0 or ::1' })
  .refine(value => isIP(value) !== 0 || isHostname(value), {
    error: 'expected an address to listen on, such as 127.0.0.1, 0.0.0.0 or ::1, without a port and brackets',
  });

/** Rejects malformed IPv4 addresses as host names. */
function isHostname(text: string): boolean {
  return /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(text) && !/^[\d.]+$/.test(text);
}

/** Text in an environment variable, a boolean in a file. */
export function flag() {
  return z.preprocess(
    value => (value === 'true' ? true : value === 'false' ? false : value),
    z.boolean({ error: 'expected true or false' }),
  );
}

export function text(pattern: RegExp, expected: string) {
  return z.string({ error: `expected ${expected}` }).regex(pattern, { error: `expected ${expected}` });
}

export function oneOf<const Choices extends readonly [string, ...string[]]>(choices: Choices) {
  return z.enum(choices, { error: `expected one of ${choices.join(', ')}` });
}

/** For `.meta(SECRET)`: marks a value that is never printed, and that may be in a file of its own. */
export const SECRET = { secret: true, mayBeFile: true } as const;

/** Marks a URL with a password: it is printed without it, and may be in a file of its own. */
export const HOLDS_PASSWORD = { mayBeFile: true } as const;

/** A port to listen on; 0 takes a free one. */
export const port = integer(0, 65_535);

/** An http or https URL. */
export function url(example: string) {
  const expected = `expected a URL like ${example}`;
  return z.string({ error: expected }).refine(isHttpUrl, { error: expected });
}

/** An http or https URL that paths are added to. */
export function baseUrl(example: string) {
  return url(example).refine(value => !isHttpUrl(value) || isBaseUrl(value), {
    error: `expected a URL like ${example}, without user, password, query and fragment`,
  });
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

function isBaseUrl(url: string): boolean {
  return !hasCredentials(url) && !/[?#]/.test(url);
}

/** @param url one that can be parsed */
export function hasCredentials(url: string): boolean {
  const { username, password } = new URL(url);
  return username !== '' || password !== '';
}

/** @example isNetwork('10.0.0.0/8') && isNetwork('2001:db8::/32') && isNetwork('192.0.2.1') */
export function isNetwork(text: string): boolean {
  const [address = '', bits, more] = text.split('/');
  // A zone (fe80::1%eth0) has a meaning on one machine only.
  const family = address.includes('%') ? 0 : isIP(address);
  if (family === 0 || more !== undefined) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}
