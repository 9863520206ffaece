/** Extracts the prose of source files: comments, texts for people, titles of tests, names. */
import { parseSync, Visitor } from 'oxc-parser';

/** A text with fewer words is a key, a name or a unit. */
const WORDS = /\p{L}{2,}[,:;]? \p{L}+[,:;]? \p{L}+/u;
const TITLED = new Set(['describe', 'it', 'test', 'suite']);
const FUNCTION_COMMENT_LINES_MAX = 2;
const HASH_COMMENTS = ['py', 'yaml', 'yml', 'sh', 'cfg', 'conf', 'service', 'Dockerfile'];
/** Each begins a passage in the header of a Lua script. */
const LUA_FIELD = /^(KEYS\[|ARGV\[|Returns\b|then:)/;
const LINE_COMMENTS = { lua: '--', go: '//', ...Object.fromEntries(HASH_COMMENTS.map(extension => [extension, '#'])) };

/**
 * @typedef {{ line: number, text: string }} Line of the source, from 1
 * @typedef {Line[]} Passage of one or more paragraphs
 * @typedef {{ passages: Passage[], names: { line: number, name: string }[], longComments: { line: number, count: number }[] }} Prose
 */

/**
 * @param {string} path decides the language @param {string} source
 * @param {{ texts: boolean }} options whether texts in quotes are for people; in tests they are data
 * @returns {Prose}
 */
export function extractProse(path, source, { texts }) {
  const extension = path.split('.').at(-1);
  const prefix = LINE_COMMENTS[extension];
  if (prefix) return { passages: readLineComments(source, prefix), names: [], longComments: [] };
  const { program, comments, errors } = parseSync(path, source);
  if (errors[0]) throw new Error(`${path}: ${errors[0].message}`);
  const lineAt = createLineLookup(source);
  const groups = groupComments(comments, source, lineAt);
  const { passages, functions, names } = readProgram(program, lineAt, texts);
  return {
    passages: [...groups.map(({ lines }) => lines), ...passages],
    names,
    longComments: findLongComments(groups, functions),
  };
}

/** @returns {(offset: number) => number} */
function createLineLookup(source) {
  const starts = [0];
  for (let at = source.indexOf('\n'); at >= 0; at = source.indexOf('\n', at + 1)) starts.push(at + 1);
  return offset => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (starts[middle] <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}

/** Joins line comments on consecutive lines: one passage may span them. */
function groupComments(comments, source, lineAt) {
  const groups = [];
  for (const { type, value, start, end } of comments) {
    const line = lineAt(start);
    const isAlone = /^\s*$/.test(source.slice(source.lastIndexOf('\n', start - 1) + 1, start));
    const lines = value.split('\n').map((text, index) => ({ line: line + index, text: stripComment(text) }));
    const last = groups.at(-1);
    if (type === 'Line' && isAlone && last?.joins && last.lines.at(-1).line === line - 1) {
      last.lines.push(...lines);
      last.end = end;
    } else groups.push({ lines, start, end, joins: type === 'Line' && isAlone });
  }
  return groups;
}

function stripComment(text) {
  return text
    .replace(/^\s*\*+ ?|^ ?/, '')
    .replace(/^\s*(biome-ignore \S+:|@ts-expect-error|<reference.*)/, '')
    .replace(/\{@link (\S+?)\}/g, '`$1`');
}

function readProgram(program, lineAt, texts) {
  const passages = [];
  const functions = [];
  const names = [];
  const seen = new Set();
  const add = (kind, node) => {
    if (seen.has(node.start)) return;
    const step = node.type === 'TemplateLiteral' ? 1 : 0;
    for (const [index, text] of (readText(node, seen) ?? '').split('\n').entries()) {
      if (kind === 'title' || WORDS.test(text)) passages.push([{ line: lineAt(node.start) + index * step, text }]);
    }
  };
  const addFunction = ({ body }) => body && functions.push([body.start, body.end]);
  const addText = node => texts && add('text', node);
  new Visitor({
    CallExpression: ({ callee, arguments: [first] }) => {
      if (first && TITLED.has(rootName(callee))) add('title', first);
    },
    ImportDeclaration: ({ source }) => seen.add(source.start),
    BinaryExpression: addText,
    Literal: addText,
    TemplateLiteral: addText,
    JSXText: addText,
    Identifier: ({ name, start }) => names.push({ line: lineAt(start), name }),
    FunctionDeclaration: addFunction,
    FunctionExpression: addFunction,
    ArrowFunctionExpression: addFunction,
  }).visit(program);
  return { passages, functions, names };
}

function rootName(callee) {
  if (callee.type === 'Identifier') return callee.name;
  if (callee.type === 'MemberExpression') return rootName(callee.object);
  if (callee.type === 'CallExpression' || callee.type === 'TaggedTemplateExpression') {
    return rootName(callee.callee ?? callee.tag);
  }
  return undefined;
}

/** Joins concatenated texts; an expression between them counts as one word. */
function readText(node, seen) {
  if (node.type === 'Literal' || node.type === 'JSXText') {
    seen.add(node.start);
    return typeof node.value === 'string' ? node.value : undefined;
  }
  if (node.type === 'TemplateLiteral') {
    seen.add(node.start);
    return node.quasis.map(({ value }) => value.cooked ?? '').join('`x`');
  }
  if (node.type === 'BinaryExpression' && node.operator === '+') {
    const parts = [readText(node.left, seen), readText(node.right, seen)];
    if (parts.every(part => part === undefined)) return undefined;
    return parts.map(part => part ?? '`x`').join('');
  }
  return undefined;
}

function findLongComments(groups, functions) {
  return groups
    .filter(({ lines }) => lines.filter(({ text }) => text.trim() !== '').length > FUNCTION_COMMENT_LINES_MAX)
    .filter(({ start, end }) => functions.some(([from, to]) => from < start && end < to))
    .map(({ lines }) => ({ line: lines[0].line, count: lines.length }));
}

function readLineComments(source, prefix) {
  const passages = [];
  let last;
  for (const [index, line] of source.split('\n').entries()) {
    const trimmed = line.trim();
    const text = trimmed.slice(prefix.length).trim();
    if (!trimmed.startsWith(prefix)) last = undefined;
    else if (last && !LUA_FIELD.test(text)) last.push({ line: index + 1, text });
    else {
      last = [{ line: index + 1, text }];
      passages.push(last);
    }
  }
  return passages;
}
