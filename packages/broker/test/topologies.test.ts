/** Each class on Redis gives its guarantees on every topology. Standalone is the subject of the tests of the classes. */
import { lifecycleFields } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { beforeAll, describe } from 'vitest';
import { cleanup } from '../../../tests/support/cleanup.js';
import { PROVISION_TIMEOUT_MS, provisionValkey } from '../../../tests/support/provision.js';
import { startRedis } from '../../../tests/support/redis.js';
import { startRedisCluster } from '../../../tests/support/redis-cluster.js';
import { startSentinelRedis } from '../../../tests/support/redis-sentinel.js';
import { openRedisTopology } from '../src/redis/open-topology.js';
import { RedisBroker } from '../src/redis/redis-broker.js';
import { RedisEventLog } from '../src/redis/redis-event-log.js';
import { RedisHistory } from '../src/redis/redis-history.js';
import { RedisLifecycleLog } from '../src/redis/redis-lifecycle-log.js';
import { RedisNamespaceDirectory } from '../src/redis/redis-namespace-directory.js';
import { RedisNodeLeases } from '../src/redis/redis-node-leases.js';
import { RedisOnlineCounter } from '../src/redis/redis-online-counter.js';
import { RedisReportLog } from '../src/redis/redis-report-log.js';
import { RedisRevocationLog } from '../src/redis/redis-revocation-log.js';
import { brokerConformance } from './broker-conformance.js';
import { eventGroupConformance } from './event-group-conformance.js';
import { eventLogConformance } from './event-log-conformance.js';
import { historyConformance } from './history-conformance.js';
import { lifecycleLogConformance } from './lifecycle-log-conformance.js';
import { namespaceDirectoryConformance } from './namespace-directory-conformance.js';
import { nodeLeasesConformance } from './node-leases-conformance.js';
import { onlineCounterConformance } from './online-counter-conformance.js';
import { reportLogConformance } from './report-log-conformance.js';
import { revocationLogConformance } from './revocation-log-conformance.js';

const TOPOLOGIES: Readonly<Record<string, () => Promise<string>>> = {
  'the primary of Sentinels': async () => (await startSentinelRedis()).url,
  'two shards': async () => {
    const servers = [await startRedis({ own: true }), await startRedis({ own: true })];
    return servers.map(({ url }) => url).join(',');
  },
  'a Redis Cluster': async () => (await startRedisCluster({ replicas: false })).url,
  'a cluster of Valkey': async () => (await startRedisCluster({ replicas: false, program: provisionValkey() })).url,
};

describe.each(Object.entries(TOPOLOGIES))('on %s', (name, start) => {
  let url: string;
  let count = 0;
  beforeAll(async () => {
    url = await start();
  }, PROVISION_TIMEOUT_MS);

  const connect = async () => {
    const redis = openRedisTopology(url, { commandTimeoutMs: 5000, onError() {} });
    cleanup(() => redis.close());
    await redis.connected(5000);
    return redis;
  };
  const open = async () => ({ redis: await connect(), prefix: `hubbub-${count++}` });

  const openBroker = async () => {
    const broker = new RedisBroker(await connect());
    await eventually(() => broker.subscribe('ready').then(() => true), { describe: 'the broker subscribes' });
    await broker.unsubscribe('ready');
    return broker;
  };

  brokerConformance(name, async () => openBroker);
  historyConformance(async () => {
    const { redis, prefix } = await open();
    return { history: new RedisHistory({ redis, prefix }), broker: new RedisBroker(redis) };
  });
  // One log for all calls, which are views of it.
  const openEvents = async () => new RedisEventLog({ redis: await connect(), prefix: 'hubbub-events' });
  eventLogConformance(openEvents);
  eventGroupConformance(openEvents);
  reportLogConformance(async maxEntries => new RedisReportLog({ ...(await open()), maxEntries }));
  lifecycleLogConformance(async () => {
    const { redis, prefix } = await open();
    const log = () => new RedisLifecycleLog({ redis, prefix, partitions: 4 });
    const stream = `${prefix}:presence:{p0}:lifecycle`;
    return {
      first: log(),
      second: log(),
      append: async event => {
        await redis.run(stream, server => server.xadd(stream, '*', ...lifecycleFields(event)));
      },
      keepNewest: async count => {
        await redis.run(stream, server => server.xtrim(stream, 'MAXLEN', count));
      },
    };
  });
  namespaceDirectoryConformance(async () => new RedisNamespaceDirectory({ ...(await open()), maxAgeMs: 0 }));
  revocationLogConformance(async max => new RedisRevocationLog({ ...(await open()), max }));
  nodeLeasesConformance(async leaseMs => new RedisNodeLeases({ ...(await open()), leaseMs }));
  onlineCounterConformance(async () => new RedisOnlineCounter({ ...(await open()), maxAgeMs: 0 }));
});
