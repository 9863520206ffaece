/** docs/guides/php-python.md: its programs publish through the HTTP API, once, also when the API starts late. */

import { freePort } from '@hubbub/tools/kit';
import { beforeAll, expect, test } from 'vitest';
import { API_KEY, startApi } from '../api/api-process.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { PROVISION_TIMEOUT_MS, provisionBarePython, provisionPhp, titleOf } from '../support/provision.js';
import { connect } from '../support/raw-client.js';
import { type Programs, programsOf } from './programs.js';

const php = provisionPhp();
const LANGUAGES: ReadonlyArray<readonly [string, () => string | undefined, string]> = [
  ['publish.py', provisionBarePython, ''],
  ['publish.php', () => php, titleOf(php, 'PHP')],
];

let guide: Programs;
let cluster: TestCluster;

beforeAll(async () => {
  guide = await programsOf('docs/guides/php-python.md');
  if (php === undefined) await guide.write('publish.php'); // Counts as used; the title reports that it was skipped.
  cluster = await startCluster({ edges: 1, presence: 0 });
}, PROVISION_TIMEOUT_MS);

for (const [file, provision, where] of LANGUAGES) {
  test.skipIf(where.includes('SKIPPED'))(
    `${file} waits for the API, publishes, and publishes nothing when repeated ${where}`,
    async () => {
      const interpreter = provision() ?? '';
      const port = await freePort();
      const run = (key: string, apiKey = API_KEY) => {
        const env = { API_URL: `http://127.0.0.1:${port}`, API_KEY: apiKey };
        return guide.run(file, ['general', key], { interpreter, env });
      };
      const one = await connect(cluster.edge(0).wsUrl, { token: cluster.token({ user: 'u1' }) });
      await one.join('general');

      const early = await run(`${file}-1`);
      await early.says('not published yet');
      await startApi(cluster, { env: { HUBBUB_API_PORT: String(port) } });
      expect((await early.ends()).at(-1)).toBe('published');
      expect(await one.nextFrame('order.paid')).toMatchObject({ room: 'general', payload: { order: 7 } });

      expect(await (await run(`${file}-1`)).ends()).toEqual(['repeated']);
      expect(await (await run(`${file}-2`)).ends()).toEqual(['published']);
      await one.nextFrame('order.paid');
      await one.noFrame('order.paid');

      const refused = await run(`${file}-3`, 'another');
      await refused.says(/^refused: 401 .*UNAUTHORIZED/);
      expect(await refused.exited).toBe(1);
    },
    PROVISION_TIMEOUT_MS,
  );
}
