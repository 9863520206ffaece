/** The prose of a Markdown page, line by line: for tests that check a page against the writing rules. */

export interface ProseLine {
  /** From 1. */
  readonly number: number;
  /** Without the marks of lists and quotes. */
  readonly text: string;
  /** Lines of one paragraph or list item share it. */
  readonly paragraph: number;
}

export interface Heading {
  readonly level: number;
  readonly text: string;
  /** The anchor on GitHub: lower case, no punctuation, hyphens, numbered when repeated. */
  readonly anchor: string;
}

const LIST_MARK = /^\s*(?:[-*]|\d+\.)\s+/;

/** Lines that are prose: no headings, tables, code, comments and links of a table of contents. */
export function proseLines(page: string): ProseLine[] {
  const lines: ProseLine[] = [];
  let paragraph = 0;
  let isCode = false;
  for (const [index, line] of page.split('\n').entries()) {
    if (line.startsWith('```')) isCode = !isCode;
    const isProse = !isCode && line.trim() !== '' && !/^(```|#|\||<!--)/.test(line);
    if (!isProse || LIST_MARK.test(line)) paragraph++;
    const text = line.replace(LIST_MARK, '').trim();
    if (isProse && !/^\[[^\]]*\]\(#[^)]*\)$/.test(text)) lines.push({ number: index + 1, text, paragraph });
  }
  return lines;
}

/** Replaces code and the addresses of links: their dots do not end sentences. */
function withoutCode(text: string): string {
  return text.replace(/`[^`]*`/g, 'code').replace(/\]\([^)]*\)/g, ']');
}

/** Whether a sentence ends before the end of the line. */
export function hasTwoSentences({ text }: ProseLine): boolean {
  return /[.!?](?:\*\*|["')\]])* +\S/.test(withoutCode(text).replace(/^\*\*[^*]*\*\* */, ''));
}

/** Whether the line ends with the end of a sentence. */
export function endsASentence({ text }: ProseLine): boolean {
  return /[.:!?;](?:\*\*|["')\]])*$/.test(text);
}

export function wordsOf(text: string): number {
  return text.split(/\s+/).filter(word => /[\p{L}\p{N}]/u.test(word)).length;
}

/** Words of each paragraph, by the number of its first line. */
export function wordsByParagraph(lines: readonly ProseLine[]): Map<number, number> {
  const first = new Map<number, number>();
  const words = new Map<number, number>();
  for (const { number, text, paragraph } of lines) {
    const at = first.get(paragraph) ?? number;
    first.set(paragraph, at);
    words.set(at, (words.get(at) ?? 0) + wordsOf(text));
  }
  return words;
}

/** Cells of all tables. */
export function tableCells(page: string): string[] {
  return withoutBlocks(page)
    .filter(line => line.startsWith('|'))
    .flatMap(line => line.split(/(?<!\\)\|/).map(cell => cell.trim()));
}

export function headingsOf(page: string): Heading[] {
  const anchors = new Set<string>();
  return withoutBlocks(page).flatMap(line => {
    const [, marks = '', text = ''] = /^(#{1,6}) (.+)$/.exec(line) ?? [];
    if (marks === '') return [];
    const slug = text
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    let anchor = slug;
    for (let n = 1; anchors.has(anchor); n++) anchor = `${slug}-${n}`;
    anchors.add(anchor);
    return [{ level: marks.length, text, anchor }];
  });
}

function withoutBlocks(page: string): string[] {
  return page.replace(/^```[\s\S]*?^```$/gm, '').split('\n');
}
