/** docs/guides/pusher.md, followed as it is written: its configuration, its back end, and its client. */
import { freePort } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { PRESENCE_KEY, startApi } from '../api/api-process.js';
import { startCluster } from '../support/cluster.js';
import { samplesOf } from '../support/samples.js';
import { programsOf } from './programs.js';

const PAGE = 'docs/guides/pusher.md';

test('a client of Pusher receives what its back end publishes', async () => {
  const guide = await programsOf('docs/guides/pusher.md');
  const env = { HUBBUB_CONFIG: await guide.write('hubbub.yaml'), HUBBUB_PRESENCE_API_KEYS: PRESENCE_KEY };
  const cluster = await startCluster({ edges: 1, env });
  const api = await startApi(cluster, { env });
  const port = await freePort();
  const backEnd = await guide.run('back-end.mjs', [], {
    env: { API_PORT: String(api.process.port), PORT: String(port) },
  });
  await backEnd.says('the back end is up');
  const url = `http://127.0.0.1:${port}`;
  const client = await guide.run('client.mjs', [], {
    env: { EDGE_PORT: String(cluster.edge(0).process.port), BACK_END: url },
  });
  await client.says('subscribed');
  expect(await (await fetch(`${url}/pay`, { method: 'POST' })).text()).toBe('published\n');
  expect(await client.ends()).toEqual(['subscribed', 'order 7 was paid']);
});

test('the lines for Laravel name the app of the configuration', () => {
  const [ini] = samplesOf(PAGE).filter(({ language }) => language === 'ini');
  const [yaml] = samplesOf(PAGE).filter(({ language }) => language === 'yaml');
  for (const value of ['shop', '278d425bdf160c739803', '7ad3773142a6692b25b8']) {
    expect(ini?.code).toContain(value);
    expect(yaml?.code).toContain(value);
  }
});
