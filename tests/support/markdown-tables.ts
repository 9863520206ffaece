/** The tables of a Markdown page, by the heading above them: for tests that compare a page with the code. */

export type TableRow = Readonly<Record<string, string>>;

export class MarkdownPage {
  readonly #lines: readonly string[];

  constructor(text: string) {
    this.#lines = text.split('\n');
  }

  /** The text of a section, without its subsections. @throws {Error} if there is no such heading. */
  section(heading: string): string {
    const start = this.#lines.findIndex(line => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading);
    if (start < 0) throw new Error(`The page has no section called "${heading}".`);
    const length = this.#lines.slice(start + 1).findIndex(line => /^#+ /.test(line));
    return this.#lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join('\n');
  }

  /**
   * The rows of the one table of a section that has these columns, each cell without its back quotes.
   * @throws {Error} if there is no such table: a renamed column must not leave an empty test.
   */
  table(heading: string, ...columns: readonly string[]): TableRow[] {
    const blocks = this.section(heading)
      .trim()
      .split(/\n\s*\n/)
      .filter(block => block.startsWith('|'));
    for (const block of blocks) {
      const [head = [], , ...rows] = block
        .split('\n')
        .filter(line => line.startsWith('|'))
        .map(cellsOf);
      if (!columns.every(column => head.includes(column))) continue;
      return rows.map(cells => Object.fromEntries(head.map((column, index) => [column, cells[index] ?? ''])));
    }
    throw new Error(`Section "${heading}" has no table with the columns ${columns.join(', ')}.`);
  }
}

function cellsOf(line: string): string[] {
  const cells = line
    .replace(/^\|/, '')
    .replace(/\|\s*$/, '')
    .split('|');
  return cells.map(cell => cell.trim().replace(/^`([^`]*)`$/, '$1'));
}
