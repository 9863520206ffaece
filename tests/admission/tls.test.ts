/** TLS on the edge: real certificates, renewed on SIGHUP while sessions stay, and named when they are wrong. */

import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually, metricValue, signToken, TEST_JWT_SECRET } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { type TlsCertificateFiles, tlsCertificate, tlsCertificateFiles } from '../support/certificate.js';
import { cleanup } from '../support/cleanup.js';
import { type Environment, startCluster, startEmbedded, type TestEdge } from '../support/cluster.js';
import { runHubbub, startProcess, type TestProcess } from '../support/process.js';
import { connect, type RawClient } from '../support/raw-client.js';
import { startRedis } from '../support/redis.js';

const first = tlsCertificate('first');
const second = tlsCertificate('second');
const rsa = tlsCertificate('rsa', 'RSA');
const CA = first.cert + second.cert + rsa.cert;
/** From where the script finds the SDK. */
const CLIENT = fileURLToPath(new URL('../../packages/client/', import.meta.url));

function environment({ certFile, keyFile }: TlsCertificateFiles): Environment {
  return { HUBBUB_TLS_CERT_FILE: certFile, HUBBUB_TLS_KEY_FILE: keyFile };
}

/** With a name the client sends SNI, without one it sends none. */
function open(port: number, user: string, servername?: string): Promise<RawClient> {
  const token = signToken({ user });
  const host = servername ?? '127.0.0.1';
  return connect(`wss://${host}:${port}/ws`, { name: user, token, ca: CA, ...(servername && { servername }) });
}

function portOf({ httpUrl }: TestEdge): number {
  return Number(new URL(httpUrl).port);
}

function certificateOf(client: RawClient): string {
  const { _socket } = client.socket as unknown as { _socket: TLSSocket };
  return String(_socket.getPeerCertificate().subject.CN);
}

function renew({ child }: TestProcess): void {
  child.kill('SIGHUP');
}

/** `false` when the handshake fails. */
function shakesHands(port: number, version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3', suites = 'DEFAULT'): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connectTls({
      host: '127.0.0.1',
      port,
      ca: CA,
      minVersion: version,
      maxVersion: version,
      // Node's own default would refuse the old version itself.
      ciphers: `${suites}:@SECLEVEL=0`,
    });
    cleanup(() => socket.destroy());
    socket.once('secureConnect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}

describe('TLS', () => {
  test('wss with TLS 1.2 and 1.3, nothing older, and no plain ws', async () => {
    const files = tlsCertificateFiles(first);
    const edge = (await startEmbedded({ env: environment(files) })).edge(0);
    const port = portOf(edge);
    for (const servername of [undefined, 'localhost']) {
      const client = await open(port, 'alice', servername);
      expect(certificateOf(client)).toBe('first');
      await client.join('general');
    }
    expect(await shakesHands(port, 'TLSv1.3')).toBe(true);
    expect(await shakesHands(port, 'TLSv1.2')).toBe(true);
    expect(await shakesHands(port, 'TLSv1.1')).toBe(false);
    await expect(connect(edge.wsUrl, { token: signToken({ user: 'plain' }) })).rejects.toThrow();
    expect(edge.process.output.lines.join('\n')).toContain(`wss://127.0.0.1:${port}/ws`);
    const expiry = await metricValue(edge, 'hubbub_edge_certificate_expiry_timestamp_seconds');
    expect(expiry).toBe(Date.parse(new X509Certificate(first.cert).validTo) / 1000);
  });

  test('SIGHUP: newcomers get the new certificate, open sessions stay, and old and new are in one room', async () => {
    const files = tlsCertificateFiles(first);
    const cluster = await startCluster({ edges: 1, env: environment(files) });
    const edge = cluster.edge(0);
    const port = portOf(edge);
    const old = [await open(port, 'old-0'), await open(port, 'old-1', 'localhost')];
    for (const client of old) await client.join('general');

    files.write(second);
    expect(certificateOf(await open(port, 'before'))).toBe('first');
    renew(edge.process);
    await edge.process.output.waitForLog({ event: 'certificate_renewed' });
    const fresh = [await open(port, 'new-0'), await open(port, 'new-1', 'localhost')];
    for (const client of fresh) {
      expect(certificateOf(client)).toBe('second');
      await client.join('general');
    }
    // Each speaks, and all others hear it once: senders are left out, on whichever certificate they came.
    const everybody = [...old, ...fresh];
    for (const speaker of everybody) {
      await speaker.ask({ type: 'send_message', room: 'general', payload: { from: speaker.name } });
      for (const listener of everybody) {
        if (listener === speaker) continue;
        await listener.nextFrame({ type: 'new_message', payload: { from: speaker.name } });
      }
    }
    for (const client of everybody) {
      await client.noFrame('new_message');
      expect(client.frames.filter(({ type }) => type === 'new_message')).toHaveLength(everybody.length - 1);
    }
    // Several times, so that some generations have no session left.
    for (let n = 0; n < 5; n++) {
      files.write(n % 2 === 0 ? first : second);
      const logs = () => edge.process.output.logs.filter(({ event }) => event === 'certificate_renewed').length;
      const before = logs();
      renew(edge.process);
      await eventually(() => logs() > before);
      expect(certificateOf(await open(port, `later-${n}`))).toBe(n % 2 === 0 ? 'first' : 'second');
    }
    await old[0]?.ask({ type: 'send_message', room: 'general', payload: { last: true } });
    await fresh[1]?.nextFrame({ type: 'new_message', payload: { last: true } });
  });

  test('broken files on SIGHUP: the log names them, and the old certificate stays', async () => {
    const files = tlsCertificateFiles(first);
    const edge = (await startEmbedded({ env: environment(files) })).edge(0);
    const port = portOf(edge);
    const standing = await open(port, 'standing');
    files.write({ key: second.key });
    renew(edge.process);
    const notice = await edge.process.output.waitForLog({ event: 'certificate_not_renewed' });
    expect(JSON.stringify(notice)).toContain('HUBBUB_TLS_KEY_FILE');
    expect(certificateOf(await open(port, 'newcomer'))).toBe('first');
    await standing.ping();
    files.write(second);
    renew(edge.process);
    await edge.process.output.waitForLog({ event: 'certificate_renewed' });
    expect(certificateOf(await open(port, 'later'))).toBe('second');
  });

  test('the port always has a listener while certificates are renewed', async () => {
    const files = tlsCertificateFiles(first);
    const edge = (await startEmbedded({ env: { ...environment(files), HUBBUB_MAX_HANDSHAKES_PER_SECOND: '0' } })).edge(
      0,
    );
    const port = portOf(edge);
    const renewals = () => edge.process.output.logs.filter(({ event }) => event === 'certificate_renewed').length;
    let opened = 0;
    let resets = 0;
    const coming = async (name: string) => {
      while (renewals() < 10) {
        try {
          const client = await open(port, name);
          opened++;
          await client.close();
        } catch (error) {
          // The kernel had given it to the socket that closed. A port without a listener or a wrong certificate is a failure.
          expect(error).toMatchObject({ code: 'ECONNRESET' });
          resets++;
        }
      }
    };
    const comers = Array.from({ length: 4 }, (_, index) => coming(`comer-${index}`));
    for (let n = 1; n <= 10; n++) {
      files.write(n % 2 === 0 ? first : second);
      const enough = opened + 8;
      renew(edge.process);
      await eventually(() => renewals() >= n && (n === 10 || opened >= enough));
    }
    await Promise.all(comers);
    console.log(`${opened} sessions were opened during 10 renewals, ${resets} connections were reset`);
    expect(resets).toBeLessThan(opened / 10);
  });

  test('with workers SIGHUP replaces them: newcomers get the new certificate', async () => {
    const files = tlsCertificateFiles(first);
    const redis = await startRedis();
    const edge = await startProcess(['edge', '--workers', '2'], {
      env: {
        ...environment(files),
        HUBBUB_PORT: '0',
        HUBBUB_ADMIN_PORT: '0',
        HUBBUB_JWT_SECRET: TEST_JWT_SECRET,
        HUBBUB_REDIS_URL: redis.url,
        HUBBUB_REDIS_PREFIX: redis.prefix,
        HUBBUB_DRAIN_WINDOW_MS: '500',
        HUBBUB_SHUTDOWN_TIMEOUT_MS: '5000',
      },
    });
    const port = Number(edge.port);
    for (let n = 0; n < 4; n++) expect(certificateOf(await open(port, `user-${n}`))).toBe('first');
    files.write(second);
    renew(edge);
    await eventually(
      async () => {
        const seen = await Promise.all(
          Array.from({ length: 8 }, (_, n) => open(port, `later-${n}`).then(certificateOf)),
        );
        return seen.every(name => name === 'second');
      },
      { withinMs: 30_000, describe: 'every worker has the new certificate' },
    );
  });
});

describe('suites', () => {
  const start = async (more: Environment = {}) =>
    portOf((await startEmbedded({ env: { ...environment(tlsCertificateFiles(rsa)), ...more } })).edge(0));

  test('only those with forward secrecy are offered', async () => {
    const port = await start();
    for (const suite of [
      'AES128-GCM-SHA256',
      'AES256-GCM-SHA384',
      'AES128-SHA',
      'AES256-SHA',
      'ECDHE-RSA-AES128-SHA',
    ]) {
      expect(await shakesHands(port, 'TLSv1.2', suite), suite).toBe(false);
    }
    for (const suite of ['ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES256-GCM-SHA384', 'ECDHE-RSA-CHACHA20-POLY1305']) {
      expect(await shakesHands(port, 'TLSv1.2', suite), suite).toBe(true);
    }
    expect(await shakesHands(port, 'TLSv1.3')).toBe(true);
  });

  test('HUBBUB_TLS_CIPHERS chooses others', async () => {
    const port = await start({ HUBBUB_TLS_CIPHERS: 'ECDHE-RSA-AES256-GCM-SHA384' });
    expect(await shakesHands(port, 'TLSv1.2', 'ECDHE-RSA-AES256-GCM-SHA384')).toBe(true);
    expect(await shakesHands(port, 'TLSv1.2', 'ECDHE-RSA-AES128-GCM-SHA256')).toBe(false);
  });

  test('suites that the engine does not know are refused by the name of the setting', async () => {
    const files = tlsCertificateFiles(rsa);
    const env = {
      ...environment(files),
      HUBBUB_PORT: '0',
      HUBBUB_ADMIN_PORT: '0',
      HUBBUB_TLS_CIPHERS: 'NO-SUCH-SUITE',
    };
    const { code, stderr } = await runHubbub(['start'], env);
    expect(code).not.toBe(0);
    expect(stderr).toContain('HUBBUB_TLS_CIPHERS: ');
    expect(stderr).toContain('NO-SUCH-SUITE');
  });
});

describe('wrong files are reported at the start, by the name of the setting, without a line of the key', () => {
  const start = async (write: (files: TlsCertificateFiles) => Environment | undefined) => {
    const files = tlsCertificateFiles(first);
    const changed = write(files);
    const env = { HUBBUB_PORT: '0', HUBBUB_ADMIN_PORT: '0', ...environment(files), ...changed };
    const { stdout, stderr, code } = await runHubbub(['start'], env);
    expect(code).not.toBe(0);
    const output = stdout + stderr;
    for (const line of first.key.split('\n').slice(1, -2)) expect(output).not.toContain(line);
    return output;
  };

  test.each<[string, string, (files: TlsCertificateFiles) => Environment | undefined]>([
    [
      'a certificate that is not there',
      'HUBBUB_TLS_CERT_FILE: cannot read',
      () => ({ HUBBUB_TLS_CERT_FILE: '/nowhere' }),
    ],
    ['a key that is not there', 'HUBBUB_TLS_KEY_FILE: cannot read', () => ({ HUBBUB_TLS_KEY_FILE: '/nowhere' })],
    ['a certificate that is none', 'HUBBUB_TLS_CERT_FILE', files => void files.write({ cert: 'nonsense' })],
    ['a key that is none', 'HUBBUB_TLS_KEY_FILE', files => void files.write({ key: 'nonsense' })],
    ['the key of another certificate', 'is not the key of', files => void files.write({ key: second.key })],
  ])('%s', async (_, reply, write) => {
    expect(await start(write)).toContain(reply);
  });
});

test('the SDK of Node speaks wss with a certificate that its process trusts', async () => {
  const files = tlsCertificateFiles(first);
  const port = portOf((await startEmbedded({ env: environment(files) })).edge(0));
  const script = `
    import { HubbubClient } from '@hubbub/client';
    const client = new HubbubClient({ url: 'wss://127.0.0.1:${port}/ws', token: '${signToken({ user: 'sdk' })}' });
    client.connect();
    await client.room('general').join();
    console.log('joined');
    await client.close();
  `;
  const run = (env: NodeJS.ProcessEnv) =>
    promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      cwd: CLIENT,
      env: { ...process.env, ...env },
      timeout: 20_000,
    });
  expect((await run({ NODE_EXTRA_CA_CERTS: files.certFile })).stdout).toContain('joined');
});
