/** Checks the prose of documents, comments, texts for people, names and test titles. Arguments: files or folders; without any, all. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { refuseUse } from './prepare/arguments.mjs';
import { at } from './prepare/files.mjs';
import { EXCEPTIONS } from './prose/exceptions.mjs';
import { lintProse } from './prose/lint.mjs';

const SKIPPED_FOLDERS = /^(\..*|node_modules|dist|results|test-results.*|coverage)$/;
const CHECKED_FILES = /\.(md|[cm]?[jt]sx?|lua|py|go|ya?ml|sh|cfg|conf|service)$|^Dockerfile$/;
/** Texts in quotes are data there. */
const TESTS = /(^|\/)tests?\/(?!support\/)/;

const selected = process.argv.slice(2).map(path => path.replace(/\/$/, ''));
const missing = selected.find(path => !existsSync(at(path)));
if (missing !== undefined)
  refuseUse('scripts/prose.mjs', `no such path: ${missing}; arguments: files and folders, from the root`);
const usedExceptions = new Set();
let count = 0;
for (const path of listFiles('')) {
  if (selected.length > 0 && !selected.some(prefix => path === prefix || path.startsWith(`${prefix}/`))) continue;
  const source = readFileSync(at(path), 'utf8');
  for (const { line, message } of await lintProse(path, source, { texts: !TESTS.test(path) })) {
    const exception = EXCEPTIONS.find(({ file, text }) => path.startsWith(file) && (!text || message.includes(text)));
    if (exception) usedExceptions.add(exception);
    else {
      console.log(`${path}:${line}: ${message}`);
      count++;
    }
  }
}
if (selected.length === 0) {
  for (const { file, text = '' } of EXCEPTIONS.filter(exception => !usedExceptions.has(exception))) {
    console.log(`scripts/prose/exceptions.mjs: the exception for ${file} ${text} is not needed; delete it`);
    count++;
  }
}
process.exitCode = count === 0 ? 0 : 1;

function* listFiles(folder) {
  for (const entry of readdirSync(at(folder), { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      if (!SKIPPED_FOLDERS.test(entry.name)) yield* listFiles(path);
    } else if (CHECKED_FILES.test(entry.name)) yield path;
  }
}
