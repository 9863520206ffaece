/**
 * `node deploy/check-image.mjs`: carries out the steps of the Dockerfile without a container engine, in empty folders with an
 * empty HOME, and then looks whether what came out starts, is ready, and leaves in order, and whether the example chats on it,
 * which needs redis-server on the PATH. It takes this machine's Node and libraries for those of the base image, so it says
 * nothing of these; run it inside such a system to have them too.
 */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readDockerfile } from './image/read-dockerfile.mjs';
import { tryExample } from './image/try-example.mjs';
import { tryCommandLine, tryEdge } from './image/try-image.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const keep = process.argv.includes('--keep');

const work = mkdtempSync(join(tmpdir(), 'hubbub-image-'));
const home = join(work, 'home');
mkdirSync(home);
const isIgnored = readIgnore(join(ROOT, '.dockerignore'));
const startedAtMs = performance.now();

try {
  const stages = new Map();
  let stage;
  for (const { instruction, words, text, line } of readDockerfile(join(ROOT, 'Dockerfile'))) {
    if (instruction === 'FROM') {
      console.log(`${line}: ${instruction} ${text}`);
      stage = begin(words, stages);
    } else if (stage !== undefined) {
      console.log(`${line}: ${instruction} ${text}`);
      await carryOut(instruction, words, text, stage, stages);
    }
  }
  const finished = [stage, stages.get('example')];
  // Not inside the build: an image must not need the other stages.
  for (const other of stages.values()) if (!finished.includes(other)) rmSync(other.root, { recursive: true });
  chmodSync(work, 0o755); // A temporary folder is its maker's alone; the image's user reads it.
  const [image, example] = finished.map(one => ({ ...one, directory: inside(one, one.directory), home }));
  for (const one of [image, example])
    console.log(execFileSync('du', ['-sh', one.directory], { encoding: 'utf8' }).trim());
  await tryCommandLine(image);
  await tryEdge(image);
  await tryExample(example, image);
  console.log(`The image's steps work: ${Math.round((performance.now() - startedAtMs) / 1000)} s.`);
} finally {
  if (keep) console.log(`Kept: ${work}`);
  else rmSync(work, { recursive: true, force: true });
}

/** From the base image, which is taken as empty, or from another stage, which stays as it is. */
function begin([from, , name], stages) {
  const root = join(work, name);
  const base = stages.get(from);
  if (base === undefined) mkdirSync(root);
  else execFileSync('cp', ['-a', base.root, root]);
  const stage = {
    directory: base?.directory ?? '/',
    environment: { ...base?.environment },
    facts: { ...base?.facts },
    root,
  };
  stages.set(name, stage);
  return stage;
}

async function carryOut(instruction, words, text, stage, stages) {
  switch (instruction) {
    case 'WORKDIR':
      stage.directory = words[0];
      mkdirSync(inside(stage, words[0]), { recursive: true });
      break;
    case 'COPY':
      copy(words, stage, stages);
      break;
    case 'RUN':
      await run(text, stage);
      break;
    case 'ENV':
      for (const word of words) {
        const [name, value] = [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)];
        stage.environment[name] = value.replace('$PATH', process.env.PATH ?? '').replace(/^\/app/, `${stage.root}/app`);
      }
      break;
    case 'HEALTHCHECK':
      stage.facts.HEALTHCHECK = JSON.parse(text.slice(text.indexOf('[')));
      break;
    case 'ENTRYPOINT':
    case 'CMD':
      stage.facts[instruction] = JSON.parse(text);
      break;
    case 'ARG':
    case 'USER':
    case 'EXPOSE':
    case 'STOPSIGNAL':
      stage.facts[instruction] = text;
      break;
    default:
      throw new Error(`${instruction} is not rehearsed: teach it to deploy/check-image.mjs.`);
  }
}

/** As the engine does: from the context without what .dockerignore names, or from another stage. */
function copy(words, stage, stages) {
  const from = words.find(word => word.startsWith('--from='))?.slice('--from='.length);
  const paths = words.filter(word => !word.startsWith('--'));
  const target = paths.pop() ?? '';
  for (const path of paths) {
    const source = from === undefined ? join(ROOT, path) : inside(stages.get(from), path);
    if (!existsSync(source)) throw new Error(`COPY ${path}: there is none${from ? ` in stage ${from}` : ''}.`);
    const directory = inside(stage, target);
    const destination =
      target.endsWith('/') && !statSync(source).isDirectory() ? join(directory, basename(path)) : directory;
    const filter = from === undefined ? file => !isIgnored(relative(ROOT, file)) : undefined;
    cpSync(source, destination, { recursive: true, verbatimSymlinks: true, ...(filter && { filter }) });
    if (!existsSync(destination)) throw new Error(`COPY ${path}: .dockerignore keeps it out of the context.`);
  }
}

/** A path of the image as a path of this machine. */
function inside(stage, path) {
  return join(stage.root, resolve(stage.directory, path));
}

function run(command, stage) {
  return new Promise((done, failed) => {
    const child = spawn('/bin/sh', ['-ec', command], {
      cwd: inside(stage, stage.directory),
      env: { PATH: process.env.PATH, ...registrySettings(), ...stage.environment, HOME: home },
      stdio: 'inherit',
    });
    child.once('error', failed);
    child.once('exit', code => (code === 0 ? done() : failed(new Error(`RUN ${command}: ended with ${code}.`))));
  });
}

/** Where this machine takes packages from, and keeps them; HOME, which may say so as well, is empty here. */
function registrySettings() {
  const names = Object.keys(process.env).filter(name =>
    /^(npm_config_(registry|cafile|cache|prefer_offline|.*proxy)|NODE_EXTRA_CA_CERTS|.*_proxy)$/i.test(name),
  );
  return Object.fromEntries(names.map(name => [name, process.env[name]]));
}

/** Later lines win; `!` takes back in. A path is ignored with the folder that holds it. */
function readIgnore(file) {
  const rules = readFileSync(file, 'utf8')
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line => ({ pattern: line.replace(/^!/, ''), keeps: line.startsWith('!') }));
  return path => {
    const prefixes = path.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'));
    let ignored = false;
    for (const { pattern, keeps } of rules) {
      if (prefixes.some(prefix => matches(prefix, pattern))) ignored = !keeps;
    }
    // The folder above something that is taken back in is entered.
    const opens = rules.some(({ pattern, keeps }) => keeps && pattern.startsWith(`${path}/`));
    return path !== '' && ignored && !opens;
  };
}

/** The part of the pattern language that our file uses: `*` within a name, `**` for folders. */
function matches(path, pattern) {
  const expression = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*\*\/|\*/g, stars => (stars === '*' ? '[^/]*' : '(?:.*/)?'));
  return new RegExp(`^${expression}$`).test(path);
}
