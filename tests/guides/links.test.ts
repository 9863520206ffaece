/** Every relative link of the documentation leads to a file that is there, and to a heading of it where it names one. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { headingsOf } from '../support/markdown-prose.js';
import { documentationPages } from '../support/samples.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const pages = documentationPages();

/** Without code: what looks like a link there is none. */
function prose(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
    .replace(/^```[\s\S]*?^```$/gm, '')
    .replace(/`[^`\n]*`/g, code => (code.includes('](') ? '' : code));
}

function broken(page: string): string[] {
  return [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter(target => !/^[a-z]+:/.test(target))
    .filter(target => {
      const [path = '', heading] = target.split('#');
      const file = path === '' ? page : normalize(relative(ROOT, join(ROOT, dirname(page), path)));
      if (!existsSync(join(ROOT, file))) return true;
      return (
        heading !== undefined &&
        (statSync(join(ROOT, file)).isDirectory() || !headingsOf(prose(file)).some(({ anchor }) => anchor === heading))
      );
    })
    .map(target => `${page}: ${target}`);
}

test('pages are found', () => {
  expect(pages.length).toBeGreaterThan(30);
});

test.each(pages)('%s', page => {
  expect(broken(page)).toEqual([]);
});

test('docs/README.md leads to every page of docs', () => {
  const index = readFileSync(join(ROOT, 'docs/README.md'), 'utf8');
  const inFolders = /^docs\/(README\.md|decisions\/)/;
  const unlisted = documentationPages('docs/').filter(
    path => !inFolders.test(path) && !index.includes(`](${path.slice(5)})`),
  );
  expect(unlisted).toEqual([]);
});

test('files that pages name in code exist', () => {
  for (const page of pages) {
    const named = [...prose(page).matchAll(/`((?:apps|packages|tests|docs|examples)\/[\w./-]+\.\w+)`/g)];
    expect(
      named.map(([, path = '']) => path).filter(path => !existsSync(join(ROOT, path))),
      page,
    ).toEqual([]);
  }
});
