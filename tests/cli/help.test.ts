/** Every command has a help text with an example. */
import { expect, test } from 'vitest';
import { runHubbub } from '../support/process.js';

const COMMANDS = [
  'start',
  'edge',
  'presence',
  'api',
  'webhooks',
  'console',
  'token',
  'publish',
  'tail',
  'rooms',
  'who',
  'explain',
  'drain',
  'doctor',
  'config',
];

async function help(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await runHubbub([...words, '--help']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

test('the main help lists every command and every exit code', async () => {
  const text = await help();
  const listed = [...text.matchAll(/^ {2}([a-z]+) .*[A-Z]/gm)].map(([, name]) => name);
  expect(listed).toEqual(expect.arrayContaining(COMMANDS));
  for (const code of [0, 1, 2, 78]) expect(text).toMatch(new RegExp(`^  ${code} +\\w`, 'm'));
});

const BELOW = ['config print', 'config check', 'config docs', 'webhooks dead-letters', 'webhooks redeliver'];

test.each([...COMMANDS, ...BELOW])('%s --help has an example', async command => {
  expect(await help(...command.split(' '))).toMatch(new RegExp(`\nExamples?:\n(.*\n)* {2}\\$ .*hubbub ${command}\\b`));
});
