/** Metrics as the kit reads them: a missing metric is an error, and a label not yet counted is zero. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { countOf, type Measured, metricValue } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { cleanup } from '../cleanup.js';

const PAGE = `# HELP joins_total Joins.
# TYPE joins_total counter
joins_total{result="ok"} 3
joins_total{result="ok_again"} 9
# TYPE sessions gauge
sessions 12
`;

async function startMeasured(): Promise<Measured> {
  const server = createServer((_, response) => response.end(PAGE));
  cleanup(() => server.close());
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return { adminUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test('finds a line by its name with labels, not by a prefix', async () => {
  const measured = await startMeasured();
  expect(await metricValue(measured, 'sessions')).toBe(12);
  expect(await metricValue(measured, 'joins_total{result="ok"}')).toBe(3);
  expect(await countOf(measured, 'joins_total{result="ok_again"}')).toBe(9);
  await expect(metricValue(measured, 'session')).rejects.toThrow('The metrics have no session.');
});

test('returns 0 for labels not yet counted if requested, but never for a misspelled name', async () => {
  const measured = await startMeasured();
  await expect(metricValue(measured, 'joins_total{result="refused"}')).rejects.toThrow(
    'The metrics have no joins_total',
  );
  expect(await countOf(measured, 'joins_total{result="refused"}')).toBe(0);
  await expect(countOf(measured, 'joins{result="ok"}')).rejects.toThrow('The metrics have no joins.');
});
