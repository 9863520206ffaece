/** Every code sample of the documentation, checked by what would consume it. Programs run in the tests of their pages. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '@hubbub/config';
import { beforeAll, expect, test } from 'vitest';
import { type Consumer, installConsumer, openProject } from '../packages/consumer.js';
import { cleanup } from '../support/cleanup.js';
import { PROVISION_TIMEOUT_MS, provisionBarePython, provisionPhp, titleOf } from '../support/provision.js';
import { documentationPages, type Sample, samplesOf } from '../support/samples.js';
import { describeAuthenticateUsers } from './authenticate-users.js';
import { COMPILED_LANGUAGES, compileSamples } from './compile-samples.js';
import { describeExistingServer } from './existing-server.js';
import { shellProblems } from './shell-samples.js';

const TESTS = join(import.meta.dirname, '..');
const FRAGMENTS = readFileSync(join(import.meta.dirname, 'fragments.d.ts'), 'utf8');
/** The packages that samples import beside those of Hubbub, and their types. */
const PACKAGES_OF_SAMPLES = ['express@5.3.0', '@types/express@5.0.4', '@types/ws@8.18.1'];
/** Samples about the test kit are part of the tests' own program. Those with React use the one of the repository. */
const KIT_PAGES = /^(tests|examples|packages\/react)\/|^docs\/guides\/react\.md$/;
/** Not code: output, grammars, drawings. PHP has a test of its own, which is skipped where PHP is missing. */
const NOT_OF_PAGES: ReadonlySet<string> = new Set(['text', 'php']);
/** Samples that nothing here can consume: page, language, reason. */
const UNCHECKED: ReadonlyArray<readonly [page: string, language: string, reason: string]> = [
  ['docs/guides/build-your-own.md', 'html', 'a browser opens it in the test of the page'],
  [
    'docs/guides/pusher.md',
    'js',
    'the test of the page runs it; the types of pusher-js describe another form of module',
  ],
  ['docs/guides/pusher.md', 'ini', 'lines of a .env file of Laravel'],
  ['docs/guides/react.md', 'html', 'a browser opens it in the test of the page'],
];

type Check = (sample: Sample) => readonly string[] | Promise<readonly string[]>;

const php = provisionPhp();
let consumer: Consumer;
let compiled: ReadonlyMap<Sample, readonly string[]>;
let python: string;
let configFile: string;
const pages = documentationPages();
const samples = pages.flatMap(samplesOf);

const isCompiled = (sample: Sample) => COMPILED_LANGUAGES.has(sample.language);
const checkCompiled: Check = sample => compiled.get(sample) ?? ['was not compiled'];
const CHECKS: Readonly<Record<string, Check>> = {
  js: checkCompiled,
  jsx: checkCompiled,
  ts: checkCompiled,
  tsx: checkCompiled,
  sh: ({ code }) => shellProblems(code),
  json: ({ code }) => problemOf(() => jsonValuesIn(code)),
  yaml: ({ code }) => {
    writeFileSync(configFile, code);
    return problemOf(() => loadConfig({ HUBBUB_CONFIG: configFile }));
  },
  python: ({ code }) => {
    const compile = 'import ast, sys; compile(sys.stdin.read(), "sample", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)';
    return outputOf(python, ['-c', compile], code);
  },
};

beforeAll(() => {
  python = provisionBarePython();
  const folder = mkdtempSync(join(TESTS, 'test-results-'));
  cleanup(() => rmSync(folder, { recursive: true }));
  configFile = join(folder, 'hubbub.yaml');
}, PROVISION_TIMEOUT_MS);

beforeAll(async () => {
  const ofKit = samples.filter(sample => isCompiled(sample) && KIT_PAGES.test(sample.page));
  const ofPackages = samples.filter(sample => isCompiled(sample) && !KIT_PAGES.test(sample.page));
  const kit = await openProject(join(TESTS, 'test-results-'));
  consumer = await installConsumer(PACKAGES_OF_SAMPLES);
  compiled = new Map([
    ...(await compileSamples(kit, ofKit, { 'kit.d.ts': '/// <reference path="../support/global-setup.ts" />' })),
    ...(await compileSamples(consumer, ofPackages, { 'fragments.d.ts': FRAGMENTS })),
  ]);
}, PROVISION_TIMEOUT_MS);

function problemOf(consume: () => unknown): string[] {
  try {
    consume();
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

function outputOf(program: string, args: readonly string[], input: string): string[] {
  const { status, stdout, stderr } = spawnSync(program, args, { input, encoding: 'utf8' });
  return status === 0 ? [] : [`${stdout}${stderr}`];
}

/** One value over several lines, or one value on each line. */
function jsonValuesIn(code: string): unknown[] {
  try {
    return [JSON.parse(code)];
  } catch {
    return code
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as unknown); // The error that counts is that of a line.
  }
}

test.each(pages.filter(page => samplesOf(page).length > 0))('%s', async page => {
  const problems: string[] = [];
  for (const sample of samples.filter(one => one.page === page && !NOT_OF_PAGES.has(one.language))) {
    const isListed = UNCHECKED.some(([path, language]) => path === page && language === sample.language);
    const check = CHECKS[sample.language];
    const found = isListed ? [] : ((await check?.(sample)) ?? [`the language "${sample.language}" has no check`]);
    problems.push(...found.map(problem => `${page}:${sample.line}: ${problem}`));
  }
  expect(problems.join('\n')).toBe('');
});

test.skipIf(php === undefined)(`the samples in PHP ${titleOf(php, 'PHP')}`, () => {
  const ofPhp = samples.filter(({ language }) => language === 'php');
  expect(ofPhp).not.toEqual([]);
  const problems = ofPhp.flatMap(({ page, line, code }) =>
    outputOf(php ?? '', ['-l'], code).map(problem => `${page}:${line}: ${problem}`),
  );
  expect(problems).toEqual([]);
});

test('each exception is needed', () => {
  const isNeeded = ([page, language]: (typeof UNCHECKED)[number]) =>
    samples.some(sample => sample.page === page && sample.language === language);
  expect(UNCHECKED.filter(entry => !isNeeded(entry))).toEqual([]);
});

test('a test runs the programs of each page', () => {
  const tests = ['tests', 'packages', 'apps'].flatMap(folder =>
    readdirSync(join(TESTS, '..', folder), { recursive: true, encoding: 'utf8' })
      .filter(path => path.endsWith('.ts') && !path.includes('node_modules'))
      .map(path => readFileSync(join(TESTS, '..', folder, path), 'utf8')),
  );
  const withPrograms = new Set(
    samples.filter(({ file }) => /\.(mjs|ts|php|py)$/.test(file ?? '')).map(({ page }) => page),
  );
  expect([...withPrograms].filter(page => !tests.some(text => text.includes(`programsOf('${page}'`)))).toEqual([]);
});

describeAuthenticateUsers(() => consumer);
describeExistingServer(() => consumer);
