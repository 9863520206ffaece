/** The instructions of a Dockerfile, one object each: no more of the language than ours uses. */
import { readFileSync } from 'node:fs';

/**
 * @param {string} path
 * @returns {{ line: number, instruction: string, text: string, words: string[] }[]}
 */
export function readDockerfile(path) {
  const instructions = [];
  let open;
  for (const [index, raw] of readFileSync(path, 'utf8').split('\n').entries()) {
    const text = raw.trim();
    if (text === '' || text.startsWith('#')) continue; // Comments may stand between continued lines.
    open ??= { line: index + 1, text: '' };
    open.text += text.replace(/\\$/, '');
    if (text.endsWith('\\')) continue;
    const [instruction = '', rest = ''] = open.text.split(/\s+(.*)/s);
    instructions.push({
      line: open.line,
      instruction: instruction.toUpperCase(),
      text: rest,
      words: rest.split(/\s+/).filter(word => word !== ''),
    });
    open = undefined;
  }
  return instructions;
}
