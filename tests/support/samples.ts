/** The code samples of the documentation: every fence of every page, with its place. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SKIPPED_FOLDERS = /^(\..*|node_modules|dist|src|results|tarballs|test-results.*)$/;
/** `// client.mjs`, `# hub.yaml`, `<!-- page.html -->` or `<?php // token.php` in the first line. */
const FILE_NAME = /^(?:\/\/|#|<!--|<\?php \/\/) ([\w./-]+\.\w+)\b/;

export interface Sample {
  /** The path of the page in the repository. */
  readonly page: string;
  /** Of the fence that opens it, from 1. */
  readonly line: number;
  readonly language: string;
  /** The file that the first line names: a sample with a name is complete. */
  readonly file: string | undefined;
  readonly code: string;
}

/** Every Markdown page of the repository, by its path. */
export function documentationPages(folder = ''): string[] {
  return readdirSync(ROOT + folder, { withFileTypes: true }).flatMap(entry => {
    const path = `${folder}${entry.name}`;
    if (entry.isDirectory()) return SKIPPED_FOLDERS.test(entry.name) ? [] : documentationPages(`${path}/`);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

/** The samples of a page of the repository. */
export function samplesOf(page: string): Sample[] {
  return samplesIn(readFileSync(ROOT + page, 'utf8'), page);
}

/** The samples of a text in Markdown. */
export function samplesIn(text: string, page = ''): Sample[] {
  return [...text.matchAll(/^( *)```(\w*)\n([\s\S]*?)^ *```$/gm)].map(
    ({ 1: indent = '', 2: language = '', 3: block = '', index }) => {
      const code = block.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
      const line = text.slice(0, index).split('\n').length;
      return { page, line, language, code, file: FILE_NAME.exec(code)?.[1] };
    },
  );
}
