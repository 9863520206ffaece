/** TLS to every kind of Redis, with an authority and a client certificate of one's own. */
import { eventually, freePort, startRedis as startRedisProgram } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { tlsCertificate, tlsCertificateFiles } from '../../../tests/support/certificate.js';
import { cleanup } from '../../../tests/support/cleanup.js';
import { startRedis } from '../../../tests/support/redis.js';
import { openRedisTopology } from '../src/redis/open-topology.js';
import { readRedisCertificates } from '../src/redis/redis-certificates.js';

/** Redis asks for a certificate, and accepts its own. */
const files = () => tlsCertificateFiles(tlsCertificate('redis'));

async function startTlsRedis({ certFile, keyFile }: ReturnType<typeof files>, ...more: string[]) {
  const port = await freePort();
  const tls = ['--tls-cert-file', certFile, '--tls-key-file', keyFile, '--tls-ca-cert-file', certFile];
  const redis = await startRedis({ args: ['--tls-port', String(port), ...tls, ...more] });
  return { ...redis, tlsPort: port };
}

async function expectWorks(url: string, { certFile, keyFile }: ReturnType<typeof files>) {
  const certificates = readRedisCertificates({ caFile: certFile, certFile, keyFile }, name => name);
  const failures: string[] = [];
  const topology = openRedisTopology(url, {
    commandTimeoutMs: 2000,
    certificates,
    onError: error => failures.push(error.message),
  });
  cleanup(() => topology.close());
  await topology.connected(5000).catch(error => expect.fail(`${error}: ${failures.at(-1)}`));
  for (const { subscriber, commands } of topology.shards) {
    expect(await commands.ping()).toBe('PONG');
    const heard = new Promise(resolve => {
      subscriber.listen({ onMessage: (_, message) => resolve(message.toString()), onInterruption() {}, onMoved() {} });
    });
    // Its connection is opened with the first use.
    await eventually(() =>
      subscriber.subscribe('news').then(
        () => true,
        () => false,
      ),
    );
    await (topology.isSharded ? commands.spublish('news', 'hello') : commands.publish('news', 'hello'));
    expect(await heard).toBe('hello');
  }
}

test('one server, and shards', async () => {
  const pem = files();
  const [one, two] = [await startTlsRedis(pem), await startTlsRedis(pem)];
  await expectWorks(`rediss://127.0.0.1:${one.tlsPort}`, pem);
  await expectWorks(`rediss://localhost:${one.tlsPort},rediss://127.0.0.1:${two.tlsPort}`, pem);
});

test('a Redis Cluster', async () => {
  const pem = files();
  const redis = await startTlsRedis(pem, '--cluster-enabled', 'yes', '--tls-cluster', 'yes');
  await redis.cli('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  await eventually(async () => (await redis.cli('CLUSTER', 'INFO')).includes('cluster_state:ok'));
  await expectWorks(`rediss+cluster://127.0.0.1:${redis.tlsPort}`, pem);
});

test('Sentinel, whose own port speaks TLS too', async () => {
  const pem = files();
  const redis = await startTlsRedis(pem);
  const port = await freePort();
  const sentinel = await startRedisProgram({
    sentinelConfig: [
      `tls-port ${port}`,
      `tls-cert-file ${pem.certFile}`,
      `tls-key-file ${pem.keyFile}`,
      `tls-ca-cert-file ${pem.certFile}`,
      'tls-replication yes',
      `sentinel monitor hubbub 127.0.0.1 ${redis.tlsPort} 1`,
    ].join('\n'),
  });
  cleanup(() => sentinel.dispose());
  await expectWorks(`rediss+sentinel://127.0.0.1:${port}/hubbub`, pem);
});

test('without the authority, or without the certificate of the client, the connection fails', async () => {
  const pem = files();
  const redis = await startTlsRedis(pem);
  const failure = async (certificates: ReturnType<typeof readRedisCertificates>) => {
    const failures: string[] = [];
    const topology = openRedisTopology(`rediss://127.0.0.1:${redis.tlsPort}`, {
      commandTimeoutMs: 500,
      certificates,
      onError: error => failures.push(error.message),
    });
    await expect(topology.connected(700)).rejects.toThrow('does not answer');
    topology.close();
    return failures.join('\n');
  };
  expect(await failure({})).toMatch(/self.signed certificate/);
  await failure(readRedisCertificates({ caFile: pem.certFile }, name => name));
});

test('a file that cannot be used is named, and its content is not', () => {
  const { certFile, keyFile } = files();
  const other = tlsCertificateFiles(tlsCertificate('other'));
  const read = (given: Parameters<typeof readRedisCertificates>[0]) =>
    expect(() => readRedisCertificates(given, name => `HUBBUB_${name}`));
  read({ certFile }).toThrow(/^HUBBUB_certFile and HUBBUB_keyFile: expected both, or none$/);
  read({ keyFile }).toThrow(/expected both, or none$/);
  read({ caFile: '/nowhere.crt' }).toThrow(/^HUBBUB_caFile: cannot read \/nowhere\.crt: ENOENT/);
  read({ caFile: keyFile }).toThrow(`HUBBUB_caFile: ${keyFile} is not a certificate (PEM)`);
  read({ certFile, keyFile: other.keyFile }).toThrow(
    `HUBBUB_keyFile: ${other.keyFile} is not the private key (PEM, without passphrase) of ${certFile}`,
  );
});
