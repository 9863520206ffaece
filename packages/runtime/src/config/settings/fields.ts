/** How the text of an environment variable, or the value in a file, becomes a setting. */
import { isIP } from 'node:net';
import { z } from 'zod';

export const MINUTE_MS = 60_000;

/** Environment variables are text; a file may hold numbers. What is not a number stays as it is and is refused. */
export function integer(min: number, max: number) {
  const error = `expected a whole number from ${min} to ${max}`;
  return z.preprocess(
    value => (typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value),
    z.int({ error }).min(min, { error }).max(max, { error }),
  );
}

/** Comma-separated in an environment variable, a list in a file. */
export function list(what: string, pattern = /./) {
  const error = `expected a list of ${what}, separated by commas`;
  return z.preprocess(
    value =>
      typeof value === 'string'
        ? value
            .split(',')
            .map(item => item.trim())
            .filter(item => item !== '')
        : value,
    z.array(z.string({ error }).regex(pattern, { error }), { error }),
  );
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

/** For `.meta(SECRET)`: what nobody prints. */
export const SECRET = { secret: true } as const;

/** A port to listen on; 0 takes a free one. */
export const port = integer(0, 65_535);

/** An http or https URL. */
export function url(example: string) {
  const expected = `expected a URL like ${example}`;
  return z
    .string({ error: expected })
    .refine(value => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol), { error: expected });
}

/** @param url one that can be parsed */
export function hasCredentials(url: string): boolean {
  const { username, password } = new URL(url);
  return username !== '' || password !== '';
}

/** @example isNetwork('10.0.0.0/8') && isNetwork('2001:db8::/32') && isNetwork('192.0.2.1') */
export function isNetwork(text: string): boolean {
  const [address = '', bits, more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more !== undefined) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}
