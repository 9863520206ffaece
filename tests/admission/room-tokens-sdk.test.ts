/** Room tokens with the SDK: brought at the join, and again after the connection broke. */
import { HubbubClient } from '@hubbub/client';
import { msgpackCodec } from '@hubbub/client/msgpack';
import { expect, test } from 'vitest';
import { withNamespaces } from '../presence/config-file.js';
import { cleanup } from '../support/cleanup.js';
import { startEmbedded } from '../support/cluster.js';
import { connect } from '../support/raw-client.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { roomToken } from './claims.js';

test.each([
  ['JSON', {}],
  ['MessagePack', { codec: msgpackCodec }],
] as const)(
  'in %s: the room is entered, recovered after a break, and left when no more token is given',
  async (_, codec) => {
    const cluster = await startEmbedded({ env: withNamespaces({ vip: { requireRoomToken: true, historySize: 10 } }) });
    const [edge] = cluster.edges;
    const proxy = await startTcpProxy({ to: edge?.process.port ?? 0 });
    const client = new HubbubClient({
      url: `ws://127.0.0.1:${proxy.port}/ws`,
      token: cluster.token({ user: 'alice' }),
      baseDelayMs: 10,
      ...codec,
    });
    cleanup(() => client.close());
    void client.connect();
    await expect(client.room('vip:1').join()).rejects.toMatchObject({ code: 'FORBIDDEN' });

    let asked = 0;
    let ttlMs = 60_000;
    const room = client.room('vip:1');
    await room.join({
      token: () => {
        asked++;
        return roomToken({ user: 'alice', room: 'vip:1', ttlMs });
      },
    });
    const { offset = 0 } = await room.send({ n: 1 });

    const other = await connect(cluster.edge(0).wsUrl, { token: cluster.token({ user: 'bob' }) });
    const token = roomToken({ user: 'bob', room: 'vip:1' });
    await other.ask({ type: 'join_room', payload: { room_id: 'vip:1', token } });
    const heard: unknown[] = [];
    room.on('new_message', frame => heard.push(frame.offset));
    const recovered = new Promise(resolve => room.onRecovered(resolve));
    proxy.sever();
    await other.ask({ type: 'send_message', room: 'vip:1', payload: { n: 2 } });
    proxy.restore();
    await recovered;
    expect(heard).toEqual([offset + 1]);
    expect(asked).toBeGreaterThanOrEqual(2);
    await room.send({ n: 3 });

    ttlMs = -60_000;
    const left = new Promise<{ error?: { code: string } }>(resolve =>
      room.onStateChange(change => change.state === 'left' && resolve(change)),
    );
    proxy.cut();
    expect((await left).error).toMatchObject({ code: 'FORBIDDEN' });
  },
);
