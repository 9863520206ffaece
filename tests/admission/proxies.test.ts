/** The address of a client, behind proxies and without: the limits' counts, by real connections. */

import { metricValue } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { startEmbedded, type TestCluster } from '../support/cluster.js';
import { connect, connectRefused } from '../support/raw-client.js';
import { startAuthorizer } from './authorizer-double.js';
import { limitCount } from './limit-count.js';

/** Stands for a proxy: connections come from here. */
const PROXY = '127.0.0.2';
const ONE_EACH = { HUBBUB_MAX_CONNECTIONS_PER_ADDRESS: '1' };

interface Visit {
  readonly from?: string;
  /** Lines of X-Forwarded-For. */
  readonly says?: string | string[];
}

const opener =
  (cluster: TestCluster) =>
  ({ from = PROXY, says }: Visit) => ({
    token: cluster.token({ user: 'u' }),
    localAddress: from,
    // ws takes a list for several headers of one name.
    ...(says !== undefined && { headers: { 'x-forwarded-for': says as string } }),
  });

async function admitted(cluster: TestCluster, visit: Visit): Promise<boolean> {
  const options = opener(cluster)(visit);
  return await connect(cluster.edge(0).wsUrl, options).then(
    () => true,
    () => false,
  );
}

describe('the address of a client', () => {
  test('nothing is trusted by default: a header does not make another client of one', async () => {
    const cluster = await startEmbedded({ env: ONE_EACH });
    expect(await admitted(cluster, { says: '203.0.113.1' })).toBe(true);
    expect(await admitted(cluster, { says: '203.0.113.2' })).toBe(false);
    expect(await admitted(cluster, { from: '127.0.0.3', says: '203.0.113.1' })).toBe(true);
  });

  test('behind a trusted proxy clients are counted separately; their own headers change nothing', async () => {
    const cluster = await startEmbedded({ env: { ...ONE_EACH, HUBBUB_TRUSTED_PROXIES: '127.0.0.2/32, 10.0.0.0/8' } });
    expect(await admitted(cluster, { says: '203.0.113.1' })).toBe(true);
    expect(await admitted(cluster, { says: '203.0.113.2' })).toBe(true);
    expect(await admitted(cluster, { says: '203.0.113.1' })).toBe(false);
    expect(await admitted(cluster, { says: '198.51.100.7, 203.0.113.1' })).toBe(false);
    // HAProxy adds a header of its own below the client's.
    expect(await admitted(cluster, { says: ['198.51.100.8', '203.0.113.1'] })).toBe(false);
    expect(await admitted(cluster, { says: '203.0.113.1, 10.1.1.1' })).toBe(false);
    // From elsewhere the header is anybody's.
    expect(await admitted(cluster, { from: '127.0.0.3', says: '203.0.113.3' })).toBe(true);
    expect(await admitted(cluster, { from: '127.0.0.3', says: '203.0.113.4' })).toBe(false);
    expect(await limitCount(cluster.edge(0), 'address_connections')).toBe(5);
  });

  test('IPv6 clients count by their /64, and IPv4 ones that come as IPv6 as what they are', async () => {
    const cluster = await startEmbedded({ env: { ...ONE_EACH, HUBBUB_TRUSTED_PROXIES: '127.0.0.0/8' } });
    expect(await admitted(cluster, { says: '2001:db8:0:1::1' })).toBe(true);
    expect(await admitted(cluster, { says: '2001:db8:0:1:ffff:ffff:ffff:ffff' })).toBe(false);
    expect(await admitted(cluster, { says: '2001:db8:0:2::1' })).toBe(true);
    expect(await admitted(cluster, { says: '203.0.113.1' })).toBe(true);
    expect(await admitted(cluster, { says: '::ffff:203.0.113.1' })).toBe(false);
    expect(await admitted(cluster, { says: '::ffff:cb00:7101' })).toBe(false);
  });

  test('by hops: the address that the farthest of our proxies wrote', async () => {
    const cluster = await startEmbedded({ env: { ...ONE_EACH, HUBBUB_TRUSTED_HOPS: '2' } });
    expect(await admitted(cluster, { says: '203.0.113.1, 172.16.0.1' })).toBe(true);
    expect(await admitted(cluster, { says: '1.1.1.1, 203.0.113.1, 172.16.0.9' })).toBe(false);
    expect(await admitted(cluster, { says: '203.0.113.2, 172.16.0.1' })).toBe(true);
  });

  test('a header that cannot be read counts for the proxy, and is counted', async () => {
    const cluster = await startEmbedded({ env: { ...ONE_EACH, HUBBUB_TRUSTED_PROXIES: '127.0.0.2' } });
    expect(await admitted(cluster, { says: 'unknown' })).toBe(true);
    expect(await admitted(cluster, { says: '203.0.113.1, 999.1.1.1' })).toBe(false);
    expect(await admitted(cluster, {})).toBe(false); // Without a header it is the proxy's own.
    expect(await metricValue(cluster.edge(0), 'hubbub_edge_forwarded_for_malformed_total')).toBe(2);
    const tooLong = { ...opener(cluster)({ says: `${'1.1.1.1,'.repeat(1000)}203.0.113.9` }) };
    expect((await connectRefused(cluster.edge(0).wsUrl, tooLong)).status).toBe(431);
  });

  test('the authorizer gets the address of the client, in one spelling', async () => {
    const authorizer = await startAuthorizer();
    const cluster = await startEmbedded({
      env: {
        HUBBUB_TRUSTED_PROXIES: '127.0.0.2',
        HUBBUB_AUTHORIZER_URL: authorizer.url,
        HUBBUB_AUTHORIZE_CONNECTIONS: 'true',
      },
    });
    expect(await admitted(cluster, { says: '2001:0DB8:0:0:0:0:0:1' })).toBe(true);
    expect(await admitted(cluster, { from: '127.0.0.3', says: '203.0.113.1' })).toBe(true);
    expect(authorizer.questions.map(({ address }) => address)).toEqual(['2001:db8::1', '127.0.0.3']);
  });
});
