/** Every relative link of the documentation leads to a file that is there, and to a heading of it where it names one. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const pages = [
  ...['README', 'ARCHITECTURE', 'CHANGELOG', 'CONTRIBUTING', 'PROTOCOL', 'SECURITY'].map(name => `${name}.md`),
  ...markdownIn('docs'),
  ...markdownIn('packages'),
  ...markdownIn('examples'),
  ...['tools/bench', 'tools/fuzz', 'k6', 'tests/support'].map(folder => `${folder}/README.md`),
];

function markdownIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap(entry => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return /^(node_modules|dist|src|test-results.*)$/.test(entry.name) ? [] : markdownIn(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

/** Without code: what looks like a link there is none. */
function prose(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
    .replace(/^```[\s\S]*?^```$/gm, '')
    .replace(/`[^`\n]*`/g, code => (code.includes('](') ? '' : code));
}

/** The anchors that GitHub gives to headings: lower case, no punctuation, hyphens, numbered when repeated. */
function anchorsOf(path: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, title = ''] of prose(path).matchAll(/^#{1,6} (.+)$/gm)) {
    const text = title.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = text.replace(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-');
    let anchor = slug;
    for (let n = 1; anchors.has(anchor); n++) anchor = `${slug}-${n}`;
    anchors.add(anchor);
  }
  return anchors;
}

function broken(page: string): string[] {
  return [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter(target => !/^[a-z]+:/.test(target))
    .filter(target => {
      const [path = '', heading] = target.split('#');
      const file = path === '' ? page : normalize(relative(ROOT, join(ROOT, dirname(page), path)));
      if (!existsSync(join(ROOT, file))) return true;
      return heading !== undefined && (statSync(join(ROOT, file)).isDirectory() || !anchorsOf(file).has(heading));
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
  const unlisted = markdownIn('docs').filter(path => !inFolders.test(path) && !index.includes(`](${path.slice(5)})`));
  expect(unlisted).toEqual([]);
});
