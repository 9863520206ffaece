/** Which origins an entry of the list stands for, and which entries are refused at the start. */
import { describe, expect, test } from 'vitest';
import { ConfigError, loadConfig } from '../src/load-config.js';
import { originMatcher } from '../src/origin-pattern.js';

describe('the list of origins', () => {
  test.each<[entry: string, allowed: string[], refused: string[]]>([
    [
      'https://example.com',
      ['https://example.com', 'https://EXAMPLE.com', 'https://example.com:443'],
      ['http://example.com', 'https://example.com:8443', 'https://www.example.com', 'https://example.com.evil.org'],
    ],
    [
      'https://*.example.com',
      ['https://a.example.com', 'https://a.b.example.com', 'https://A.Example.Com:443'],
      [
        'https://example.com',
        'https://.example.com',
        'https://evilexample.com',
        'https://a.example.com:8443',
        'http://a.example.com',
        'https://evil.org/.example.com',
        'https://evil.org#.example.com',
        'https://user@a.example.com',
        'https://a..example.com',
        'https://*.example.com',
        'https://a.example.com.evil.org',
      ],
    ],
    ['http://*.localhost:3000', ['http://app.localhost:3000'], ['http://app.localhost', 'http://localhost:3000']],
    ['http://[::1]:3000', ['http://[::1]:3000'], ['http://[::2]:3000', 'http://::1:3000']],
    ['capacitor://localhost', ['capacitor://localhost'], ['http://localhost', 'capacitor://localhost:1']],
    ['HTTPS://Example.com', ['https://example.com'], ['https://example.org']],
    ['null', ['null'], ['NULL', 'https://example.com', '']],
    ['*', ['null', 'https://example.com', 'chrome-extension://abc'], []],
  ])('%s', (entry, allowed, refused) => {
    const matches = originMatcher([entry]);
    expect(allowed.filter(origin => !matches(origin))).toEqual([]);
    expect(refused.filter(matches)).toEqual([]);
  });

  test('an empty list matches nothing; of several entries each counts', () => {
    expect(originMatcher([])('https://example.com')).toBe(false);
    expect(originMatcher([])('null')).toBe(false);
    const matches = originMatcher(['https://a.example', 'null', 'https://*.b.example']);
    expect(['https://a.example', 'null', 'https://x.b.example'].every(matches)).toBe(true);
    expect(matches('https://x.a.example')).toBe(false);
  });

  test.each([
    'example.com',
    'https://example.com/',
    'https://example.com/app',
    'https://',
    'https://*',
    'https://a.*.example.com',
    'https://*example.com',
    '*.example.com',
    'https://*.[::1]',
    'https://example.com:70000',
    'https://exämple.com',
    'https://example.com?x=1',
  ])('%s is refused at the start, with what would be right', entry => {
    let problems: readonly string[] = [];
    try {
      loadConfig({ HUBBUB_ALLOWED_ORIGINS: `https://fine.example,${entry}` });
    } catch (error) {
      if (error instanceof ConfigError) problems = error.problems;
    }
    expect(problems).toEqual([
      `HUBBUB_ALLOWED_ORIGINS: "${entry}": expected an origin like https://example.com or https://*.example.com:8443, without a path, in ASCII; or null, or * for all`,
    ]);
  });
});
