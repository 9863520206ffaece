/** The checker of histories accepts what the guarantees allow, and rejects histories that were broken on purpose. */
import { beforeAll, describe, expect, test } from 'vitest';
import { startCluster } from '../support/cluster.js';
import { titleOf } from '../support/provision.js';
import { checkHistory, HistoryRecord, historyChecker, type Operation } from './history-checker.js';
import { historyEnvironment, NumberedStream } from './numbered-stream.js';

const ROOM = 'kept:a';

const isAbout = (member: string, kind: Operation['kind']) => (operation: Operation) =>
  operation.member === member && operation.kind === kind;

describe.skipIf(historyChecker === undefined)(`a recorded history ${titleOf(historyChecker, 'Go')}`, () => {
  let recorded: readonly Operation[];

  beforeAll(async () => {
    const cluster = await startCluster({ env: historyEnvironment() });
    const members = cluster.edges.map(({ wsUrl }, edge) => ({ name: `member-${edge + 1}`, url: wsUrl }));
    const stream = await NumberedStream.start(cluster, { rooms: [ROOM], members, publisherUrl: cluster.edge(0).wsUrl });
    await stream.flows(30);
    await stream.end();
    expect(stream.violations()).toEqual([]);
    recorded = stream.record.operations;
  });

  /** The tenth and the eleventh delivery to a member. */
  function deliveries(): [Operation, Operation] {
    return recorded.filter(isAbout('member-2', 'deliver')).slice(9, 11) as [Operation, Operation];
  }
  const replaced = (one: Operation, ...others: Operation[]) =>
    recorded.flatMap(operation => (operation === one ? others : [operation]));

  const BROKEN: Readonly<Record<string, () => Operation[]>> = {
    'two deliveries swapped'() {
      const [one, next] = deliveries();
      const { call } = one;
      return recorded.map(operation => {
        if (operation === one) return { ...one, call: next.call, return: next.call };
        return operation === next ? { ...next, call, return: call } : operation;
      });
    },
    'a delivery dropped in silence': () => replaced(deliveries()[0]),
    'a delivery dropped, and the loss reported as recovered'() {
      const [one] = deliveries();
      return replaced(one, { room: ROOM, kind: 'recovered', member: 'member-2', call: one.call, return: one.call });
    },
    'the last delivery dropped': () => replaced(recorded.filter(isAbout('member-2', 'deliver')).at(-1) as Operation),
    'a message delivered twice'() {
      const [one, next] = deliveries();
      return replaced(next, { ...one, call: next.call, return: next.call }, next);
    },
    'another message at the place of one': () => {
      const [one, next] = deliveries();
      return replaced(one, { ...one, id: next.id as number });
    },
    'a message delivered before it was published'() {
      const [one] = deliveries();
      const publish = recorded.find(({ kind, id }) => kind === 'publish' && id === one.id) as Operation;
      const call = publish.call - 1;
      return replaced(one, { ...one, call, return: call });
    },
    'a message acknowledged that never arrives'() {
      const last = recorded.filter(({ kind }) => kind === 'publish').at(-1) as Operation;
      const offset = Math.max(...recorded.map(operation => operation.offset ?? 0)) + 1;
      return replaced(last, last, { ...last, id: 1_000_000, offset });
    },
    'a refused message delivered'() {
      const [one] = deliveries();
      return replaced(recorded.find(({ kind, id }) => kind === 'publish' && id === one.id) as Operation);
    },
  };

  test.each(Object.entries(BROKEN))('is rejected with %s', async (_, breakIt) => {
    const [violation, ...others] = await checkHistory(breakIt());
    expect(violation).toMatch(/^kept:a: not linearizable: /);
    expect(others).toEqual([]);
  });

  test('is accepted with a delivery dropped and reported', async () => {
    const [one] = deliveries();
    expect(
      await checkHistory(
        replaced(one, { room: ROOM, kind: 'loss', member: 'member-2', call: one.call, return: one.call }),
      ),
    ).toEqual([]);
  });
});

describe.skipIf(historyChecker === undefined)('in a written history', () => {
  /** Records steps such as `publish 1 e 1`, `deliver ann 1 e 1` and `loss ann`. */
  function check(...steps: string[]): Promise<string[]> {
    const record = new HistoryRecord();
    for (const step of steps) {
      const [kind, ...words] = step.split(' ');
      if (kind === 'publish' || kind === 'unknown') {
        const [id, epoch, offset] = words;
        record.publish(
          ROOM,
          Number(id),
        )(kind === 'unknown' ? 'unknown' : { epoch: epoch ?? '', offset: Number(offset) });
      } else if (kind === 'deliver') {
        const [member = '', id, epoch = '', offset] = words;
        record.deliver(ROOM, member, Number(id), { epoch, offset: Number(offset) });
      } else record.notice(ROOM, words[0] ?? '', kind as 'loss' | 'recovered' | 'rest');
    }
    return checkHistory(record.operations);
  }
  const rejected = (operation: string) => [`kept:a: not linearizable: ${operation}`];

  test('a message with an unknown outcome may arrive at every member, or at none', async () => {
    expect(
      await check('publish 1 e 1', 'unknown 2', 'publish 3 e 2', 'deliver ann 1 e 1', 'deliver ann 3 e 2', 'rest ann'),
    ).toEqual([]);
    expect(
      await check(
        'publish 1 e 1',
        'unknown 2',
        'publish 3 e 3',
        'deliver ann 1 e 1',
        'deliver ann 2 e 2',
        'deliver ann 3 e 3',
        'rest ann',
      ),
    ).toEqual([]);
    expect(
      await check('publish 1 e 1', 'unknown 2', 'publish 3 e 3', 'deliver ann 1 e 1', 'deliver ann 3 e 3'),
    ).toEqual(rejected('delivery of 3 at offset 3 of epoch "e" to ann'));
  });

  test('a new epoch that continues the log is crossed without a notice', async () => {
    expect(
      await check(
        'publish 1 e 1',
        'deliver ann 1 e 1',
        'publish 2 f 2',
        'deliver ann 2 f 2',
        'deliver bob 1 f 1',
        'deliver bob 2 f 2',
        'rest ann',
        'rest bob',
      ),
    ).toEqual([]);
  });

  test('a new epoch that lost messages needs a notice for each member', async () => {
    const lossy = ['publish 1 e 1', 'publish 2 e 2', 'deliver ann 1 e 1', 'deliver ann 2 e 2', 'publish 3 f 2'];
    expect(await check(...lossy, 'loss ann', 'deliver ann 3 f 2', 'rest ann')).toEqual([]);
    expect(await check(...lossy, 'deliver ann 3 f 2')).toEqual(
      rejected('delivery of 3 at offset 2 of epoch "f" to ann'),
    );
    // Bob had not read what was lost: nothing shows it to him but a notice.
    expect(await check(...lossy, 'deliver bob 1 e 1', 'deliver bob 3 f 2', 'rest bob')).toEqual(
      rejected('rest of bob'),
    );
    expect(await check(...lossy, 'deliver bob 1 e 1', 'loss bob', 'deliver bob 3 f 2', 'rest bob')).toEqual([]);
  });

  test('a message that a failover lost may arrive again, after a notice, at another place', async () => {
    const lost = ['publish 1 e 1', 'publish 2 f 2', 'deliver ann 1 e 1', 'deliver ann 2 e 2'];
    expect(await check(...lost, 'loss ann', 'deliver ann 2 f 2', 'rest ann')).toEqual([]);
    expect(await check(...lost, 'deliver ann 2 f 2')).toEqual(
      rejected('delivery of 2 at offset 2 of epoch "f" to ann'),
    );
    const twice = ['publish 1 e 1', 'publish 2 e 2', 'deliver ann 1 e 1', 'deliver ann 2 e 2', 'deliver ann 1 e 3'];
    expect(await check(...twice)).toEqual([expect.stringMatching(/^kept:a: .*not linearizable/)]);
  });

  test('an old epoch does not return', async () => {
    expect(await check('publish 1 e 1', 'publish 2 f 2', 'publish 3 e 2')).toEqual(
      rejected('publish of 3 at offset 2 of epoch "e"'),
    );
  });
});
