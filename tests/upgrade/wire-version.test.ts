/** Nodes write the newer wire version when all of them read it, and not while a process of the previous release is there. */
import { RedisBroker, wireHoldMs } from '@hubbub/broker';
import { Channels, decodeEnvelope, PREVIOUS_WIRE_VERSION, WIRE_VERSION } from '@hubbub/protocol';
import { eventually, type HubbubProcess, readMetrics } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { connect } from '../support/raw-client.js';
import { startMixedCluster } from './mixed-cluster.js';

const LEASE_MS = 3000;
const ENV = {
  HUBBUB_NODE_LEASE_MS: String(LEASE_MS),
  HUBBUB_REDIS_COMMAND_TIMEOUT_MS: '1000',
  HUBBUB_DRAIN_WINDOW_MS: '500',
};
const RISES = { withinMs: wireHoldMs(LEASE_MS) + 15_000 };
const WRITTEN = ['hubbub_edge_wire_version', 'hubbub_presence_wire_version'];

/** The version in which this process writes; `undefined` for one of the previous release. */
async function writtenBy(process: HubbubProcess): Promise<number | undefined> {
  const metrics = await readMetrics(process);
  return WRITTEN.map(name => metrics.get(name)).find(version => version !== undefined);
}

test('the version rises when the last process of the previous release is gone, and falls with the first that returns', async () => {
  const { cluster, living, startEdge, startPresence, stop, expectNothingUnread } = await startMixedCluster(ENV);
  const broker = new RedisBroker(cluster.redis.topology());
  const channel = new Channels(cluster.redis.prefix).room('general');
  const heard: Array<{ type: unknown; version: number | undefined }> = [];
  broker.onEnvelope((_, bytes) => {
    const envelope = decodeEnvelope(bytes);
    const frame = JSON.parse(Buffer.from(envelope?.body ?? []).toString()) as { type: unknown };
    heard.push({ type: frame.type, version: envelope?.version });
  });
  await eventually(() => broker.subscribe(channel).then(() => true));
  /** The versions of a message, and of the `user_joined` of presence, for a member of this edge. */
  let users = 0;
  const versionsOf = async (url: string) => {
    heard.length = 0;
    const user = `user-${++users}`;
    const member = await connect(url, { name: user, token: cluster.token({ user }) });
    await member.join('general');
    await member.ask({ type: 'send_message', room: 'general', payload: {} });
    const versionOf = (type: string) => eventually(() => heard.find(found => found.type === type));
    return [(await versionOf('new_message')).version, (await versionOf('user_joined')).version];
  };
  const allWrite = (version: number) =>
    eventually(
      async () => {
        const versions = await Promise.all(living().map(writtenBy));
        return versions.every(found => found === undefined || found === version);
      },
      { ...RISES, describe: `all write version ${version}` },
    );

  const previousPresence = await startPresence('previous');
  await startPresence('new');
  const previousEdge = await startEdge('previous');
  const edge = await startEdge('new');
  const mixedSinceMs = performance.now();
  await eventually(() => performance.now() - mixedSinceMs > wireHoldMs(LEASE_MS) + 2 * LEASE_MS, RISES);
  await allWrite(PREVIOUS_WIRE_VERSION);
  expect(await versionsOf(edge.wsUrl), 'beside processes of the previous release').toEqual([undefined, undefined]);
  await versionsOf(previousEdge.wsUrl);

  await stop(previousEdge.process);
  await stop(previousPresence);
  await allWrite(WIRE_VERSION);
  expect(await versionsOf(edge.wsUrl), 'without them').toEqual([WIRE_VERSION, WIRE_VERSION]);

  const returned = await startEdge('previous');
  await allWrite(PREVIOUS_WIRE_VERSION);
  expect(await versionsOf(edge.wsUrl), 'after one has returned').toEqual([undefined, undefined]);
  await stop(returned.process);
  await allWrite(WIRE_VERSION);

  await startPresence('new', { HUBBUB_WIRE_VERSION_MAX: String(PREVIOUS_WIRE_VERSION) });
  await allWrite(PREVIOUS_WIRE_VERSION);
  await startPresence('previous');
  const [last] = [await startEdge('previous')];
  await versionsOf(last.wsUrl);
  await expectNothingUnread();
}, 240_000);
