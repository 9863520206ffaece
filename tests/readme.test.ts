/** The README's examples, copied out of it and run: documentation is run by tests or it rots. */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { loadConfig } from '@hubbub/config';
import { beforeAll, describe, expect, test } from 'vitest';
import { adopt } from './support/children.js';
import { cleanup } from './support/cleanup.js';
import { startCluster, startEmbedded, type TestCluster } from './support/cluster.js';
import { eventually } from './support/eventually.js';
import { ProcessOutput } from './support/process-output.js';
import { connect } from './support/raw-client.js';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

interface Example {
  readonly output: ProcessOutput;
  readonly exitCode: Promise<unknown>;
}

describe('the README', () => {
  let readme: string;
  let cluster: TestCluster;
  let directory: string;

  beforeAll(async () => {
    readme = await readFile(`${ROOT}README.md`, 'utf8');
    cluster = await startCluster({ edges: 2 });
    // Inside the repository, where the packages are found by name.
    directory = await mkdtemp(`${ROOT}test-results-`);
    cleanup(() => rm(directory, { recursive: true }));
  });

  /** Writes the example that names itself in its first line, and runs it until the test ends. */
  async function run(file: string, args: readonly string[]): Promise<Example> {
    const code = readme.split('```').find(block => block.startsWith(`js\n// ${file}\n`));
    if (code === undefined) throw new Error(`README.md has no example ${file}`);
    await writeFile(`${directory}/${file}`, code.slice('js\n'.length));
    const child = spawn(process.execPath, [`${directory}/${file}`, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    adopt(child);
    cleanup(() => child.kill());
    const output = new ProcessOutput();
    output.read(child.stdout);
    output.read(child.stderr);
    return { output, exitCode: new Promise(resolve => child.once('close', resolve)) };
  }

  async function reply(example: Example, line: string): Promise<void> {
    await eventually(() => example.output.lines.includes(line), {
      describe: `it prints: ${line}; said: ${example.output.tail()}`,
    });
  }

  test('its client joins and speaks, hears its service in the room and alone, and redis-cli', async () => {
    const bob = await connect(cluster.edge(1).wsUrl, { name: 'bob', token: cluster.token({ user: 'bob' }) });
    await bob.join('general');
    const client = await run('client.mjs', [cluster.token({ user: 'u1', name: 'One' }), cluster.edge(0).wsUrl]);
    expect(await bob.nextFrame('new_message')).toMatchObject({
      sender: { id: 'u1', name: 'One' },
      payload: { content: 'Hello' },
    });
    await reply(client, 'joined, and said hello');

    const service = await run('service.mjs', [cluster.redis.url, cluster.redis.prefix]);
    await reply(client, 'build finished { ok: true }');
    await reply(client, "for me { text: 'Your build is done' }");
    expect(await service.exitCode).toBe(0);

    const [, channel = '', message = ''] = /redis-cli PUBLISH '([^']+)' '([^']+)'/.exec(readme) ?? [];
    await cluster.redis.cli('PUBLISH', channel.replace(/^hubbub/, cluster.redis.prefix), message);
    await bob.nextFrame('build.finished');
    await bob.nextFrame('build.finished');
  });

  test('its client prints its state, and reports when no hub answers', async () => {
    const hub = await startEmbedded();
    const client = await run('client.mjs', [hub.token({ user: 'u1' }), hub.edge(0).wsUrl]);
    await reply(client, 'joined, and said hello');
    await hub.edge(0).process.kill('SIGKILL');
    await eventually(
      () => client.output.lines.some(line => /^no hub answers at ws:.*; next attempt in \d+ s$/.test(line)),
      {
        describe: `it reports the loss; it printed: ${client.output.tail()}`,
      },
    );
    expect(client.output.lines.slice(0, 4)).toEqual(['connecting', 'opening', 'restoring', 'open']);
  });

  test('`npx hubbub token` prints a token and nothing else', async () => {
    const npx = promisify(execFile);
    const { stdout } = await npx('npx', ['hubbub', 'token', '--user', 'u1', '--name', 'One'], { cwd: ROOT });
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  });

  test('its configuration is one that starts', async () => {
    const yaml =
      readme
        .split('```')
        .find(block => block.startsWith('yaml\n'))
        ?.slice('yaml\n'.length) ?? '';
    await writeFile(`${directory}/hubbub.yaml`, yaml);
    const { namespaces } = loadConfig({ HUBBUB_CONFIG: `${directory}/hubbub.yaml` });
    expect(Object.keys(namespaces)).toEqual(['chat', 'ticker']);
  });

  test('every file that it and ARCHITECTURE.md link to or name is there', async () => {
    const pages = `${readme}\n${await readFile(`${ROOT}ARCHITECTURE.md`, 'utf8')}`;
    const links = [...pages.matchAll(/\]\(([^)#]+)\)/g)].map(([, path = '']) => path);
    const named = [...pages.matchAll(/`((?:apps|packages|tests)\/[\w./-]+\.ts)`/g)].map(([, path = '']) => path);
    expect([...links, ...named].filter(path => !existsSync(`${ROOT}${path}`))).toEqual([]);
  });
});
