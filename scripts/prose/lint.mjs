/** Checks prose with textlint: the terms and the length of every sentence. Code is checked as a generated Markdown page. */
import { TextlintKernel } from '@textlint/kernel';
import markdown from '@textlint/textlint-plugin-markdown';
import { split } from 'sentence-splitter';
import { extractProse } from './extract.mjs';
import { NAMES, TERMS } from './terms.mjs';

const SENTENCE_WORDS_MAX = 25;
const TABLE_CELL_MAX = 120;
const kernel = new TextlintKernel();

/** @param {string} path @param {string} source @returns {Promise<{ line: number, message: string }[]>} */
export async function lintProse(path, source, options = { texts: true }) {
  if (path.endsWith('.md')) return lintMarkdown(source, line => line);
  const { passages, names, longComments } = extractProse(path, source, options);
  const { page, lineOf } = writePage(passages);
  return [
    ...longComments.map(({ line }) => ({ line, message: 'A comment inside a function has more than two lines.' })),
    ...names.flatMap(checkName),
    ...(await lintMarkdown(page, lineOf)),
  ];
}

function checkName({ line, name }) {
  const term = NAMES.find(({ pattern }) => pattern.test(name));
  return term ? [{ line, message: `The name \`${name}\`: ${term.write}` }] : [];
}

/** Every passage becomes a paragraph. A tag of JSDoc begins a new one; its types, names and examples are code. */
function writePage(passages) {
  const page = [];
  const sources = [];
  for (const lines of passages) {
    let isExample = false;
    for (const { line, text } of lines) {
      const [before = '', ...tags] = text.split(/(?:^|\s)@(?=[a-z]+\b)/);
      if (!isExample) push(before, line);
      for (const tag of tags) {
        isExample = tag.startsWith('example');
        push('', line);
        if (!isExample) push(tag.replace(/^(param\s+(\{.*?\}+\s+)?\S+|\w+)\s*(\{.*?\}+(?=\s|$))?/, ''), line);
      }
    }
    push('', lines.at(-1).line);
  }
  return { page: page.join('\n'), lineOf: line => sources[line - 1] };

  function push(text, line) {
    page.push(text.trimStart().replace(/[<>]/g, ' '));
    sources.push(line);
  }
}

async function lintMarkdown(text, lineOf) {
  const { messages } = await kernel.lintText(text, {
    ext: '.md',
    plugins: [{ pluginId: 'markdown', plugin: markdown.default ?? markdown }],
    rules: [{ ruleId: 'prose', rule: checkSentences }],
  });
  return messages.map(({ loc, message }) => ({ line: lineOf(loc.start.line), message }));
}

/** The one rule of textlint: it reads each block of running text. */
function checkSentences({ Syntax, RuleError, report, locator }) {
  const check = (node, limits) => {
    const { text, offsetAt } = flatten(node, Syntax);
    const fail = (at, length, message) => {
      const start = offsetAt(at) - node.range[0];
      report(node, new RuleError(message, { padding: locator.range([start, start + Math.max(1, length)]) }));
    };
    // A list of values in backticks is not prose.
    const length = text.replace(/\bcode(, code)+/g, 'code').length;
    if (limits.cell && length > TABLE_CELL_MAX) {
      fail(0, 1, `A table cell has ${length} characters; at most ${TABLE_CELL_MAX}.`);
    }
    for (const { raw, range } of splitSentences(text)) {
      const words = raw
        .replace(/\bcode(, code)+/g, 'code')
        .split(/[\s/]+/)
        .filter(word => /[\p{L}\p{N}]/u.test(word)).length;
      if (words > SENTENCE_WORDS_MAX) {
        fail(range[0], 1, `A sentence has ${words} words; at most ${SENTENCE_WORDS_MAX}: ${raw.slice(0, 60)}…`);
      }
      for (const { pattern, write, inHeadings = true } of TERMS) {
        if (limits.heading && !inHeadings) continue;
        const match = pattern.exec(raw);
        if (match) fail(range[0] + match.index, match[0].length, `"${match[0]}": ${write}`);
      }
    }
  };
  return {
    [Syntax.Paragraph]: node => check(node, {}),
    [Syntax.Header]: node => check(node, { heading: true }),
    [Syntax.TableCell]: node => check(node, { cell: true, heading: true }),
  };
}

/** The library takes the end of "… with 503." for an abbreviation; at the end of a line it never is one. */
function splitSentences(text) {
  const sentences = [];
  let at = 0;
  for (const part of text.split(/(?<=[.!?:]\n)/)) {
    for (const { type, raw, range } of split(part)) {
      if (type === 'Sentence') sentences.push({ raw, range: [at + range[0], at + range[1]] });
    }
    at += part.length;
  }
  return sentences;
}

/** The text of a block as a reader sees it: code is one word. Offsets lead back to the page. */
function flatten(block, Syntax) {
  let text = '';
  const pieces = [];
  const add = (piece, offset) => {
    pieces.push({ at: text.length, offset });
    text += piece;
  };
  const walk = node => {
    if (node.type === Syntax.Str) add(node.value, node.range[0]);
    else if (node.type === Syntax.Code) add('code', node.range[0]);
    else if (node.type === Syntax.Break) add(' ', node.range[0]);
    else for (const child of node.children ?? []) walk(child);
  };
  walk(block);
  return {
    text,
    offsetAt: at => {
      const piece = pieces.findLast(candidate => candidate.at <= at);
      return piece ? piece.offset + at - piece.at : block.range[0];
    },
  };
}
