/** The prose check: its findings, and the lines that it names. */
import { describe, expect, it } from 'vitest';
import { lintProse } from '../scripts/prose/lint.mjs';

const find = async (path: string, source: string, texts = true) =>
  (await lintProse(path, source, { texts })).map(({ line, message }) => `${line}: ${message}`);
const LONG = Array.from({ length: 26 }, (_, index) => `word${index}`).join(' ');

describe('the prose check', () => {
  it('accepts plain prose', async () => {
    expect(await find('page.md', '# Rooms\n\nThe edge notifies presence. Members skip admission.\n')).toEqual([]);
    expect(await find('a.ts', "/** Joins a room. */\nthrow new Error('The room is full; join another.');\n")).toEqual(
      [],
    );
  });

  it('names the line of a term in documents, comments, texts and titles', async () => {
    expect(await find('page.md', 'One line.\nPresence is told of it.\n')).toEqual([
      expect.stringMatching(/^2: "told"/),
    ]);
    const source = [
      '/**',
      ' * Joins a room.',
      ' * The client comes back.',
      ' */',
      "throw new Error('One part ' +",
      "  'of it is under way');",
      "it('is let in', () => {});",
    ].join('\n');
    expect(await find('a.ts', source)).toEqual([
      expect.stringMatching(/^3: "comes back"/),
      expect.stringMatching(/^5: "under way"/),
      expect.stringMatching(/^7: "let in"/),
    ]);
  });

  it('rejects clauses and pronouns as subjects, also within a sentence', async () => {
    const wrong = {
      'Redirects are not followed: who answers there is trusted.': ': who answers there is',
      'It drops what is malformed; what is left stays in order.': '; what is left stays',
      'It leaves out only who has the topic.': 'only who',
      'A room that nobody joins expires.': 'nobody',
      'The header stands there twice.': 'stands',
      'The guarantees are tried by a suite.': 'tried by',
    };
    for (const [text, found] of Object.entries(wrong)) {
      expect(await find('page.md', `${text}\n`)).toEqual([expect.stringMatching(`^1: "${found}":`)]);
    }
    expect(await find('page.md', 'A user who waits is asked what is missing. `*` stands for any rest.\n')).toEqual([]);
  });

  it('ignores code, and texts in quotes where they are data', async () => {
    expect(await find('page.md', 'The field `told` is a number.\n\n```js\ntold();\n```\n')).toEqual([]);
    expect(await find('a.ts', "send('who told you that');", false)).toEqual([]);
  });

  it('limits sentences to 25 words and table cells to 120 characters', async () => {
    expect(await find('page.md', `${LONG}.\n`)).toEqual([expect.stringContaining('A sentence has 26 words')]);
    const cell = 'nine chars. '.repeat(11);
    expect(await find('page.md', `| a |\n|---|\n| ${cell} |\n`)).toEqual([
      expect.stringContaining('A table cell has 131'),
    ]);
  });

  it('limits comments inside functions to two lines', async () => {
    const comment = '  // One.\n  // Two.\n  // Three.\n';
    expect(await find('a.ts', `${comment}function f() {\n${comment}}\n`)).toEqual([
      '5: A comment inside a function has more than two lines.',
    ]);
  });

  it('rejects names that are clauses', async () => {
    expect(await find('a.ts', 'const nobodyWaits = 1;')).toEqual([expect.stringContaining('The name `nobodyWaits`')]);
  });

  it('reads comments of Lua, Python and YAML', async () => {
    expect(await find('a.lua', "-- The edge is told.\nreturn 'told'\n")).toEqual([expect.stringMatching(/^1: "told"/)]);
  });
});
