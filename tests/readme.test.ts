/** The client of the README, on a cluster. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Programs, programsOf } from './guides/programs.js';
import { startCluster, startEmbedded, type TestCluster } from './support/cluster.js';
import { connect } from './support/raw-client.js';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

describe('the README', () => {
  let programs: Programs;
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await startCluster({ edges: 2 });
    programs = await programsOf('README.md');
  });

  test('its client joins and speaks', async () => {
    const bob = await connect(cluster.edge(1).wsUrl, { name: 'bob', token: cluster.token({ user: 'bob' }) });
    await bob.join('general');
    const client = await programs.run('client.mjs', [
      cluster.token({ user: 'u1', name: 'One' }),
      cluster.edge(0).wsUrl,
    ]);
    expect(await bob.nextFrame('new_message')).toMatchObject({
      sender: { id: 'u1', name: 'One' },
      payload: { content: 'Hello' },
    });
    await client.says('joined, and said hello');
  });

  test('its client prints its state, and reports when no hub answers', async () => {
    const hub = await startEmbedded();
    const client = await programs.run('client.mjs', [hub.token({ user: 'u1' }), hub.edge(0).wsUrl]);
    await client.says('joined, and said hello');
    await hub.edge(0).process.kill('SIGKILL');
    await client.says(/^no hub answers at ws:.*; next attempt in \d+ s$/);
    expect(client.lines.slice(0, 4)).toEqual(['connecting', 'opening', 'restoring', 'open']);
  });

  test('its client reports a refused token in one line, and ends', async () => {
    const client = await programs.run('client.mjs', ['not-a-token', cluster.edge(0).wsUrl]);
    expect(await client.exited).toBe(1);
    expect(client.lines).toEqual(['connecting', 'closed: The token is not valid.']);
  });

  test('`npx hubbub token` prints a token and nothing else', async () => {
    const npx = promisify(execFile);
    const { stdout } = await npx('npx', ['hubbub', 'token', '--user', 'u1', '--name', 'One'], { cwd: ROOT });
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  });
});
