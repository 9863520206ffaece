/** Tokens never reach logs, metrics or error texts: an edge at its most talkative is given right and wrong ones in every place. */

import { TEST_JWT_SECRET } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { startEmbedded } from '../support/cluster.js';
import { jwk, jwt, keyPair } from '../support/jwt.js';
import { startKeyServer } from '../support/key-server.js';
import { connect, type RawClient, UpgradeRefused } from '../support/raw-client.js';

const known = keyPair('Ed25519');
const stranger = keyPair('Ed25519');
const inAMinute = () => Math.floor(Date.now() / 1000) + 60;

/** Each with a signature of its own, by which it is found. */
function tokens(place: string): readonly string[] {
  const claims = (more: object = {}) => ({
    sub: `alice-${place}`,
    jti: place,
    exp: inAMinute(),
    rooms: ['*'],
    ...more,
  });
  const secret = { alg: 'HS256', key: TEST_JWT_SECRET } as const;
  const ed = { alg: 'EdDSA', key: known.privateKey } as const;
  return [
    jwt({ ...secret, claims: claims() }),
    jwt({ ...ed, claims: claims(), header: { kid: 'known' } }),
    jwt({ ...ed, claims: claims(), header: { kid: 'unknown' } }),
    jwt({ ...ed, key: stranger.privateKey, claims: claims(), header: { kid: 'known' } }),
    jwt({ ...secret, key: 'another secret', claims: claims() }),
    jwt({ ...secret, claims: claims({ exp: 1 }) }),
    jwt({ ...secret, claims: claims({ nbf: inAMinute() }) }),
    jwt({ ...secret, claims: claims({ exp: 'soon' }) }),
    jwt({ ...secret, claims: claims({ rooms: 7 }) }),
    jwt({ ...secret, claims: claims({ sub: 'x'.repeat(200) }) }),
    jwt({ ...secret, claims: claims({ room: 'general' }) }),
    jwt({ ...secret, claims: claims(), header: { crit: ['x'] } }),
    jwt({ ...secret, claims: '{"sub":' }),
    jwt({ ...secret, claims: claims() }).replace('.', '.%'),
  ];
}

/** The secret part: header and claims can be guessed, the signature cannot. */
const secretPart = (token: string) => token.slice(token.lastIndexOf('.') + 1);

describe('secrecy of tokens', () => {
  test('log, metrics and answers contain no signature of any token, valid or not, from any place', async () => {
    const keys = await startKeyServer([jwk(known, { kid: 'known' })]);
    const cluster = await startEmbedded({
      env: {
        HUBBUB_LOG_LEVEL: 'trace',
        HUBBUB_JWT_JWKS_URL: keys.url,
        HUBBUB_ALLOWED_ORIGINS: 'https://app.example',
      },
    });
    const edge = cluster.edge(0);
    const sent: string[] = [];
    const heard: string[] = [];
    let opened = 0;
    let refused = 0;

    const tell = async (token: string, open: () => Promise<RawClient>): Promise<RawClient | undefined> => {
      sent.push(token);
      try {
        const client = await open();
        opened++;
        return client;
      } catch (error) {
        if (!(error instanceof UpgradeRefused)) throw error;
        refused++;
        heard.push(JSON.stringify(error.refusal));
        return undefined;
      }
    };
    for (const url of [edge.wsUrl, edge.roomUrl('chat:1'), edge.roomUrl('no room')]) {
      for (const tokenIn of ['header', 'subprotocol', 'query'] as const) {
        for (const token of tokens(`${tokenIn}-${opened}`)) {
          // A subprotocol takes only the letters of a token.
          if (tokenIn === 'subprotocol' && token.includes('%')) continue;
          const client = await tell(token, () => connect(url, { token, tokenIn }));
          if (client !== undefined) heard.push(JSON.stringify(await client.nextFrame('welcome')));
          const headers = { origin: 'https://evil.example' };
          await tell(token, () => connect(url, { token, tokenIn, headers }));
        }
      }
    }
    const plain = tokens('plain')[0] ?? '';
    sent.push(plain);
    for (const path of [`/ws?token=${plain}`, `/nowhere?token=${plain}`, `/${plain}`, `/rooms/${plain}/ws`]) {
      heard.push(await (await fetch(`${edge.httpUrl}${path}`)).text());
    }

    const client = await connect(edge.wsUrl, { token: tokens('refresh')[0] ?? '' });
    for (const token of [...tokens('frame'), 'x'.repeat(3000)]) {
      sent.push(token);
      for (const frame of [
        { type: 'refresh', payload: { token } },
        { type: 'join_room', payload: { room_id: 'chat:1', token } },
        { type: 'resume', payload: { rooms: [{ room_id: 'chat:2', token }] } },
      ]) {
        const { id, ...answer } = await client.ask(frame);
        heard.push(JSON.stringify(answer));
      }
      client.sendRaw(`{"type":"refresh","payload":{"token":"${token}"`);
    }
    await client.ping();
    heard.push(...client.frames.map(frame => JSON.stringify(frame)));

    expect(opened).toBeGreaterThan(10);
    expect(refused).toBeGreaterThan(100);
    const metrics = await (await fetch(`${edge.adminUrl}/metrics`)).text();
    expect(metrics).toContain('hubbub_edge_handshakes_total{result="UNAUTHORIZED"}');
    await edge.process.kill('SIGTERM'); // By then its whole output has been read.
    const log = edge.process.output.lines.join('\n');
    expect(log).toContain('"event":"listening"');
    const answers = heard.join('\n');
    for (const token of sent) {
      const secret = secretPart(token);
      expect(secret.length).toBeGreaterThan(40);
      expect(log.includes(secret), `the log has ${token}`).toBe(false);
      expect(metrics.includes(secret), `the metrics have ${token}`).toBe(false);
      expect(answers.includes(secret), `an answer has ${token}`).toBe(false);
    }
  });
});
