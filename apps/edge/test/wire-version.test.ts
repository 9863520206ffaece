/** The wire version in which an edge writes: what its last renewal returned, and the previous one in doubt. */
import { LOG_START } from '@hubbub/broker';
import { advertisedVersion, HubbubError, PREVIOUS_WIRE_VERSION, WIRE_VERSION } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { PARTITIONS, startReporter } from './reporter.js';

test('the incarnation advertises the version that this release reads', async () => {
  const { reporter, started } = startReporter();
  await started();
  expect(advertisedVersion(reporter.incarnation)).toBe(WIRE_VERSION);
});

test('reports have the version that the last renewal returned, and the previous one when renewals fail for a lease', async () => {
  const { leases, log, reporter, open, started } = startReporter({ leaseMs: 400 });
  let written: number | undefined = PREVIOUS_WIRE_VERSION;
  leases.renew = async () => {
    if (written === undefined) throw new HubbubError('UNAVAILABLE', 'away');
    return written;
  };
  const versionOf = async (session: string): Promise<number> => {
    open(session);
    const positions = new Map(Array.from({ length: PARTITIONS }, (_, partition) => [partition, LOG_START]));
    return await eventually(async () => {
      const found = await log.read(positions, { waitMs: 0, limit: 100_000 });
      const texts = [...found.values()].flatMap(entries => entries.map(({ text }) => text));
      const text = texts.find(entry => entry.includes(`"${session}"`));
      return text === undefined ? undefined : Number((JSON.parse(text) as unknown[])[0]);
    });
  };
  await started();
  expect(await versionOf('an-earlier-node-is-there')).toBe(PREVIOUS_WIRE_VERSION);
  written = WIRE_VERSION;
  await eventually(() => reporter.wireVersion === WIRE_VERSION);
  expect(await versionOf('all-read-it')).toBe(WIRE_VERSION);
  written = PREVIOUS_WIRE_VERSION;
  await eventually(() => reporter.wireVersion === PREVIOUS_WIRE_VERSION);
  expect(await versionOf('an-earlier-node-came')).toBe(PREVIOUS_WIRE_VERSION);
  written = WIRE_VERSION;
  await eventually(() => reporter.wireVersion === WIRE_VERSION);
  written = undefined;
  await eventually(() => reporter.wireVersion === PREVIOUS_WIRE_VERSION);
});

test('a fenced edge writes the previous version until its new incarnation is renewed', async () => {
  const { leases, reporter, started } = startReporter({ leaseMs: 400 });
  const answers: Array<number | undefined> = [WIRE_VERSION];
  leases.renew = async () => (answers.length > 1 ? answers.shift() : answers[0]);
  await started();
  await eventually(() => reporter.wireVersion === WIRE_VERSION);
  const former = reporter.incarnation;
  answers.splice(0, 1, undefined, WIRE_VERSION);
  await eventually(() => reporter.incarnation !== former);
  expect(reporter.wireVersion).toBe(PREVIOUS_WIRE_VERSION);
  await eventually(() => reporter.wireVersion === WIRE_VERSION);
});
