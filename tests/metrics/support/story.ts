/** The events in the cluster while Prometheus scrapes: a little of everything that has a metric. */

import { eventually, metricValue } from '@hubbub/tools/kit';
import { expect } from 'vitest';
import type { ApiProcess } from '../../api/api-process.js';
import { cleanup } from '../../support/cleanup.js';
import { connect, connectRefused, type RawClient } from '../../support/raw-client.js';
import type { WholeCluster } from './whole-cluster.js';

/** Far more than the kernel keeps for a connection that is not read. */
const FILLER = 'x'.repeat(32_768);
const MESSAGES_MAX = 4000;
const TALK_INTERVAL_MS = 100;
/** Also while Redis is down, because the API answers with 503 then. */
const REQUEST_INTERVAL_MS = 300;

/**
 * @param untilSeen resolves when Prometheus has data for the expression: only what it has seen has happened
 */
export async function liveThrough(whole: WholeCluster, untilSeen: (condition: string) => Promise<void>): Promise<void> {
  const { cluster, api } = whole;
  const [first, second, leaving] = [cluster.edge(0), cluster.edge(1), cluster.edge(2)];
  const enter = async (user: string, edge = first, rooms: readonly string[] = ['general']): Promise<RawClient> => {
    const client = await connect(edge.wsUrl, { name: user, token: cluster.token({ user }) });
    for (const room of rooms) await client.join(room);
    return client;
  };
  const ada = await enter('ada', first, ['general', 'kept:1', 'game:1', 'club:1', 'prices:1']);
  const bob = await enter('bob', second, ['general', 'kept:1']);
  const cleo = await enter('cleo', first, []);
  const { payload: position } = await cleo.ask({ type: 'join_room', payload: { room_id: 'kept:1' } });
  const stopTalking = talk([ada, bob], api);

  // Clients that are refused, or send invalid frames.
  expect((await connectRefused(first.wsUrl, { token: 'none' })).status).toBe(401);
  await ada.ask({ type: 'send_message', room: 'elsewhere', payload: {} });
  ada.sendRaw('{');
  await ada.nextFrame('error');

  // Services: by Redis, and by HTTP.
  const redis = cluster.redis.connection();
  await redis.xgroup('CREATE', `${cluster.redis.prefix}:events:{game}`, 'referee', '0', 'MKSTREAM');
  await ada.ask({ type: 'move', room: 'game:1', payload: { to: 'e4' } });
  await redis.publish(`${cluster.redis.prefix}:room:{general}`, 'malformed');
  await api.post('/rooms/general/messages', { type: 'said', payload: {} });
  await api.get('/nowhere');
  await enter('eve', second);
  await api.post('/users/eve/disconnect', {});
  await untilSeen('sum(hubbub_edge_events_waiting) > 0');

  // A user whom the authorizer decides on, after a first scrape of this edge: a rate needs two.
  await untilSeen('sum(hubbub_edge_authorizer_duration_seconds_count{instance="edge-1"}) > 0');
  await enter('dora', first, ['club:1']);
  await untilSeen('sum(rate(hubbub_edge_authorizer_duration_seconds_count[10s])) > 0');

  // A session that was away returns and gets what it missed.
  await cleo.terminate();
  await ada.ask({ type: 'send_message', room: 'kept:1', payload: { missed: true } });
  const back = await connect(first.wsUrl, { name: 'cleo', token: cluster.token({ user: 'cleo' }) });
  await back.ask({
    type: 'resume',
    payload: { rooms: [{ room_id: 'kept:1', epoch: position?.epoch, offset: position?.offset }] },
  });
  await untilSeen('sum(hubbub_edge_recoveries_total{result="recovered"}) > 0');

  // A slow reader.
  const slow = await enter('slow');
  slow.pauseReading();
  for (let sent = 0; sent < MESSAGES_MAX && !(await slowReaderWasCut(first.adminUrl)); sent += 100) {
    for (let i = 0; i < 100; i++) {
      await redis.publish(
        `${cluster.redis.prefix}:room:{general}`,
        JSON.stringify({ type: 'large', payload: { FILLER } }),
      );
    }
    await ada.ping();
  }
  slow.resumeReading();
  await untilSeen('sum(hubbub_edge_slow_readers_total) > 0');

  // An edge leaves.
  await Promise.all(['x', 'y', 'z'].map(user => enter(user, leaving)));
  const left = leaving.process.kill('SIGTERM');
  await untilSeen('max(hubbub_edge_drain_remaining) > 0');
  expect((await left).code).toBe(0);

  // Redis is down for a moment: the API refuses, subscriptions break and recover, and gaps are reported.
  await cluster.redis.halt({ keepData: true });
  await eventually(async () => (await api.post('/messages', { all: true, type: 'said', payload: {} })).status === 503);
  await untilSeen('min(hubbub_redis_up) == 0');
  await untilSeen('sum(hubbub_api_requests_total{status="503"}) > 0');
  await cluster.redis.start();
  await untilSeen('sum(hubbub_edge_interruptions_total) > 0');
  await untilSeen('sum(hubbub_edge_room_gaps_total{reason="no_history"}) > 0');
  await untilSeen('min(hubbub_edge_ready{instance=~"edge-[12]"} and on () (hubbub_redis_up == 1)) == 1');
  await untilSeen('ALERTS{alertname="HubbubRoomGaps", alertstate="firing"}');
  stopTalking();
}

/** They send something several times a second until stopped, or until the file is over. */
function talk(clients: readonly RawClient[], api: ApiProcess): () => void {
  const requests = setInterval(() => {
    // The API may be gone when the file is over; only Prometheus reads its answers.
    api.post('/rooms/general/messages', { type: 'said' }).catch(() => {});
  }, REQUEST_INTERVAL_MS);
  const frames = setInterval(() => {
    for (const client of clients) {
      client.send({ type: 'send_message', room: 'general', payload: { content: 'hello' } });
      client.send({ type: 'send_message', room: 'kept:1', payload: { content: 'hello' } });
    }
  }, TALK_INTERVAL_MS);
  const stop = (): void => {
    clearInterval(requests);
    clearInterval(frames);
  };
  cleanup(stop);
  return stop;
}

async function slowReaderWasCut(adminUrl: string): Promise<boolean> {
  return (await metricValue({ adminUrl }, 'hubbub_edge_slow_readers_total')) > 0;
}
