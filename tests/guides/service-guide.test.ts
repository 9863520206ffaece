/** docs/service-guide.md names only things that the README or a table compared with the code has. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startEmbeddedHub } from '@hubbub/cli/embedded';
import { connectHubbub } from '@hubbub/server';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => readFileSync(`${ROOT}${path}`, 'utf8');
const guide = read('docs/service-guide.md');
const named = (pattern: RegExp) => [...guide.matchAll(pattern)].map(([, name = '']) => name);

test('the functions that it names are there', async () => {
  const hubbub = connectHubbub({ redisUrl: 'redis://127.0.0.1:1', onError: () => {} });
  const functions = named(/`(publishTo\w+|addToRoom|deadLetters)/g).concat(
    named(/\b(remove\w+|closeRoom|disconnectUser)[,`]/g),
  );
  expect(new Set(functions).size).toBeGreaterThan(8);
  expect(functions.filter(name => !(name in hubbub))).toEqual([]);
  await hubbub.close();
  expect(guide).toContain(`\`${startEmbeddedHub.name}\``);
});

test('its options of a consumer, settings and metrics are documented', () => {
  const documented = ['packages/server/README.md', 'docs/settings.md', 'docs/metrics.md'].map(read).join('\n');
  const names = named(/`((?:HUBBUB|hubbub)_\w+|leaseMs|onDeadLetter|conflate|requireRoomToken|events)`/g);
  expect(new Set(names).size).toBeGreaterThan(6);
  expect(names.filter(name => !documented.includes(`\`${name}\``))).toEqual([]);
});

test('its line of redis-cli is the one that the test of getting started runs', () => {
  const [line = ''] = /redis-cli PUBLISH .*/.exec(guide) ?? [];
  expect(line).not.toBe('');
  expect(read('docs/getting-started.md')).toContain(line);
});
