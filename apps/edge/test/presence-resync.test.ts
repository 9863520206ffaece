/** The whole state of an edge, which it reports to presence when it starts and when an outcome is unknown. */
import { HubbubError, PREVIOUS_WIRE_VERSION, partitionOf, WIRE_VERSION } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { PARTITIONS, startReporter } from './reporter.js';

describe('the whole state', () => {
  test('waits for the subscription, because answers would be lost', async () => {
    let checks = 0;
    const { started } = startReporter({ isSubscribed: () => ++checks > 3 });
    await started();
    expect(checks, 'three checks fail, and the fourth lets the state go').toBe(4);
  });

  test('does not wait for a subscription that stays broken', async () => {
    const { started } = startReporter({ isSubscribed: () => false });
    await started();
  });
});

describe('a resync', () => {
  test('an edge that was declared dead reports all its sessions under a new incarnation, not as news', async () => {
    const { log, leases, reporter, open, started } = startReporter({ leaseMs: 200 });
    await started();
    open('s1', 'red');
    open('s2', 'red', 'blue');
    await eventually(async () => (await log.sent()).length === 8);
    const before = reporter.incarnation;
    await leases.fenceAll();
    await eventually(() => reporter.isReporting && reporter.incarnation !== before, { describe: 'the edge is back' });
    await eventually(async () => (await log.sent()).length === 16 + PARTITIONS);
    const after = (await log.sent()).filter(({ incarnation }) => incarnation === reporter.incarnation);
    expect(after.filter(({ report }) => report.kind === 'node_gone')).toHaveLength(PARTITIONS);
    for (const { report } of after) if (report.kind === 'node_gone') expect(report.gone).toBe(before);
    const joins = after.filter(({ report }) => report.kind === 'join');
    expect(joins).toHaveLength(3);
    expect(reporter.repeatedJoins, 'the cost of the resync').toBe(3);
    for (const { report } of joins) expect(report).toMatchObject({ resync: true });
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const first = after.find(notice => notice.partition === partition);
      expect(first?.report.kind, 'goodbye comes first').toBe('node_gone');
    }
  });

  test.each(['before', 'after'] as const)(
    'when an append fails %s it was applied, the edge repeats it, and presence reads each report once',
    async failing => {
      const { log, reporter, open, started } = startReporter();
      await started();
      open('s1', 'red');
      await eventually(async () => (await log.sent()).length === 3);
      const before = reporter.incarnation;
      log.failing = failing;
      open('s2', 'red');
      await eventually(() => log.failed > 1, { describe: 'the append is repeated' });
      open('s3', 'blue');
      log.failing = undefined;
      await eventually(async () => (await log.sent()).length === 9);
      expect(reporter.incarnation, 'no resync follows').toBe(before);
      const sessions = (await log.sent()).flatMap(({ report }) => (report.kind === 'join' ? [report.session] : []));
      expect(sessions.sort()).toEqual(['s1', 's2', 's3']);
      expect(await log.kinds()).not.toContain('node_gone');
    },
  );

  test('when a repeated append is refused, the edge reports everything again: the first attempt may still arrive', async () => {
    const { log, reporter, open, started } = startReporter();
    await started();
    const before = reporter.incarnation;
    log.failing = 'before';
    open('s1', 'red');
    await eventually(() => log.failed > 0);
    log.full.add(partitionOf('red', PARTITIONS));
    log.failing = undefined;
    await eventually(() => reporter.incarnation !== before, { describe: 'the edge registers again' });
    log.full.clear();
    await eventually(async () => (await log.kinds()).includes('join'));
  });

  test('a request that may not have reached presence is refused', async () => {
    const { log, reporter, refused, open, started } = startReporter();
    await started();
    const session = open('s1', 'red');
    await eventually(async () => (await log.sent()).length === 3);
    log.failing = 'before';
    expect(reporter.askRoster(session, 'red', 7)).toBe(true);
    await eventually(() => refused.length > 0);
    expect(refused).toEqual([7]);
    log.failing = undefined;
    await eventually(async () => (await log.kinds()).includes('roster'));
    expect(refused, 'refused once').toEqual([7]);
  });

  test('an append that fails after the edge was fenced is resynced once, and its joins are news', async () => {
    const { log, leases, reporter, open, started } = startReporter({ leaseMs: 200 });
    await started();
    const before = reporter.incarnation;
    let release = (): void => {};
    log.hanging = new Promise(resolve => {
      release = resolve;
    });
    open('s1', 'red');
    await eventually(() => log.hung === 1, { describe: 'the reports are in flight' });
    log.hanging = undefined;
    await leases.fenceAll();
    await eventually(() => reporter.isReporting && reporter.incarnation !== before, { describe: 'the edge is back' });
    const after = reporter.incarnation;
    release();
    await eventually(async () => (await log.kinds()).includes('join'));
    const joins = (await log.sent()).filter(({ report }) => report.kind === 'join');
    expect(joins).toHaveLength(1);
    expect(joins[0]?.incarnation).toBe(after);
    expect(joins[0]?.report).not.toHaveProperty('resync');
    expect(reporter.incarnation).toBe(after);
  });

  test('sessions that opened while Redis was unreachable are reported afterwards', async () => {
    const { log, reporter, open } = startReporter();
    expect(reporter.backlog.unappendedMs, 'there is nothing to report').toBe(0);
    open('s1', 'red');
    expect(reporter.isReporting).toBe(false);
    await eventually(() => reporter.backlog.unappendedMs > 0);
    reporter.start();
    await eventually(async () => (await log.kinds()).includes('join'));
    expect((await log.sent()).find(({ report }) => report.kind === 'join')?.report).not.toHaveProperty('resync');
  });

  test('closes while the broker is unreachable', async () => {
    const { log, reporter, open, started } = startReporter();
    await started();
    log.failing = 'before';
    open('s1', 'red');
    await eventually(() => log.failed > 0);
    await reporter.close();
  });
});

test('an edge writes the wire version of its last renewal, and the previous one after a lease without renewal', async () => {
  const { leases, reporter, started } = startReporter({ leaseMs: 200 });
  leases.renew = async () => WIRE_VERSION;
  await started();
  await eventually(() => reporter.wireVersion === WIRE_VERSION, { describe: 'the edge writes the new version' });
  leases.renew = () => Promise.reject(new HubbubError('UNAVAILABLE', 'away'));
  await eventually(() => reporter.wireVersion === PREVIOUS_WIRE_VERSION, {
    describe: 'the edge writes the previous one',
  });
});
