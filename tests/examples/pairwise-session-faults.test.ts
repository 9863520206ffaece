/** The pairwise session under faults: malformed votes, too many, silent connections, a killed service. */

import { eventually } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { connect, type RawClient } from '../support/raw-client.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import {
  type Attendee,
  attend,
  attendAll,
  attendeeAt,
  cast,
  FOR_FIRST,
  makeSession,
  NAMES,
  newId,
  open,
  openPage,
  pathOf,
  roomMessages,
  says,
  startPairwise,
  TIE,
  tell,
  tokenOf,
  untilHere,
} from './pairwise-people.js';
import { EXAMPLE_TIMEOUT_MS, type RunningExample } from './support.js';

let example: RunningExample;

beforeAll(async () => {
  example = await startPairwise();
}, EXAMPLE_TIMEOUT_MS);

describe('a malformed vote gets `error` and changes nothing', () => {
  const vote = { comparison_id: 'c1', ...FOR_FIRST };
  const table: [string, object, string][] = [
    ['no vote', {}, 'INVALID_PAYLOAD'],
    ['a vote that is text', { vote: 'f1' }, 'INVALID_PAYLOAD'],
    ['no comparison', { vote: FOR_FIRST }, 'INVALID_PAYLOAD'],
    ['a comparison that is a number', { vote: { ...vote, comparison_id: 1 } }, 'INVALID_PAYLOAD'],
    ['no preferred feature', { vote: { comparison_id: 'c1', is_tie_vote: true } }, 'INVALID_PAYLOAD'],
    ['a preferred feature that is a list', { vote: { ...vote, preferred_feature_id: ['f1'] } }, 'INVALID_PAYLOAD'],
    ['no word on a tie', { vote: { comparison_id: 'c1', preferred_feature_id: 'f1' } }, 'INVALID_PAYLOAD'],
    ['a tie that is text', { vote: { ...vote, is_tie_vote: 'false' } }, 'INVALID_PAYLOAD'],
    ['a tie with a preferred feature', { vote: { ...vote, is_tie_vote: true } }, 'INVALID_PAYLOAD'],
    ['neither', { vote: { ...vote, preferred_feature_id: null } }, 'INVALID_PAYLOAD'],
    ['a comparison of no session', { vote: { ...vote, comparison_id: 'c9' } }, 'UNKNOWN_COMPARISON'],
    ['a feature of another comparison', { vote: { ...vote, preferred_feature_id: 'f3' } }, 'UNKNOWN_FEATURE'],
    ['the name of a prototype', { vote: { ...vote, comparison_id: 'constructor' } }, 'UNKNOWN_COMPARISON'],
  ];

  test('each of them', async () => {
    const session = await makeSession(example, [...NAMES.slice(0, 2), 'Joan', 'Mary']);
    const [ada, grace, ...senders] = (await attendAll(session)) as [RawClient, RawClient, ...RawClient[]];
    for (const [index, [what, payload, code]] of table.entries()) {
      const sender = senders[index % senders.length] as RawClient; // Each may send ten messages in a burst.
      const id = newId('bad');
      await tell(sender, 'vote_submitted', payload, id);
      const answer = await sender.nextFrame({ type: 'error', id });
      expect(answer.payload, what).toEqual({ code, message: expect.any(String) });
    }
    // Sent after them in the same room: their effects would come before it.
    await cast(grace, 'c3', TIE);
    for (const client of [ada, grace]) {
      await client.nextFrame({ type: 'session_progress', payload: { completed_comparisons: 0 } });
      expect(roomMessages(client).filter(({ type }) => type === 'vote_received')).toHaveLength(1);
      expect(client.frames.filter(({ type }) => type === 'error')).toEqual([]);
    }
  });
});

test('token and path name the voter and the session: claims of the frame are not read', async () => {
  const [session, other] = [await makeSession(example), await makeSession(example)];
  const [ada, grace] = (await attendAll(session)) as [RawClient, RawClient];
  const [{ id: adaId }, { id: graceId }] = session.attendees as [Attendee, Attendee];
  const vote = { comparison_id: 'c1', ...FOR_FIRST, attendee_id: graceId, session_id: other.session };
  const forged = { vote, attendee_id: graceId, session_id: other.session, user: { id: graceId } };
  ada.send({ type: 'vote_submitted', payload: forged, sender: { id: graceId, name: 'Grace' }, id: 'forged' });
  expect((await grace.nextFrame('vote_received')).payload).toMatchObject({ attendee_id: adaId });
  expect((await grace.nextFrame({ type: 'comparison_update', payload: { voted: [adaId] } })).payload).toBeDefined();
  ada.send({ type: 'vote_submitted', room: other.room, payload: { vote }, id: 'elsewhere' });
  await ada.nextFrame({ type: 'error', id: 'elsewhere', payload: { code: 'NOT_IN_ROOM' } });
});

describe('ten messages, one back per second', () => {
  test('too many votes are refused, and one more passes after the delay of the edge', async () => {
    const session = await makeSession(example, ['Ada']);
    const client = await open(session, 0);
    const send = (count: number): void => {
      for (let index = 0; index < count; index++) client.send({ type: 'join_session', id: newId('j') });
    };
    const count = (type: string): number => client.frames.filter(frame => frame.type === type).length;
    const startMs = performance.now();
    send(14);
    await eventually(() => count('ack') + count('error') === 14, { describe: 'all 14 are answered' });
    const elapsedSeconds = Math.floor((performance.now() - startMs) / 1000);
    expect(count('ack')).toBeGreaterThanOrEqual(10);
    expect(count('ack')).toBeLessThanOrEqual(10 + elapsedSeconds);
    const refused = client.frames.filter(({ type }) => type === 'error').at(-1)?.payload;
    expect(refused).toMatchObject({ code: 'RATE_LIMITED', retry_after_ms: expect.any(Number) });
    const waitMs = Number(refused?.retry_after_ms);
    expect(waitMs).toBeGreaterThan(0);
    // One message is allowed again each second, and the others that were refused wait for theirs too.
    expect(waitMs).toBeLessThanOrEqual(1000 * (count('error') + 1));
    await new Promise(resolve => setTimeout(resolve, waitMs)); // Exactly the delay that the edge asks for.
    send(1);
    await eventually(() => count('ack') + count('error') === 15);
    expect(client.frames.filter(({ type }) => type === 'ack' || type === 'error').at(-1)?.type).toBe('ack');
  });

  test('a page that is quicker shows a kind notice, and every vote arrives', async () => {
    // A small burst, so that votes meet the limit on a busy machine too.
    const hasty = await startPairwise({ HUBBUB_MAX_FRAMES_BURST: '3' });
    const session = await makeSession(hasty, NAMES.slice(0, 2), ['A', 'B', 'C', 'D', 'E', 'F']);
    const grace = await attend(session, 1);
    const ada = await openPage(session, 0, 0);
    await untilHere(ada, 2);
    await Promise.all([
      says(ada, 'You are quick!'),
      ada.evaluate(() => {
        for (let pair = 0; pair < 8; pair++) {
          document.querySelector<HTMLElement>('#first')?.click();
          document.dispatchEvent(new KeyboardEvent('keydown', { key: 'n', bubbles: true }));
        }
        document.querySelectorAll<HTMLElement>('#dots button')[7]?.click();
      }),
    ]);
    for (let pair = 0; pair < 8; pair++) await grace.nextFrame('vote_received');
    await says(ada, 'You have voted. Waiting for Grace.');
    expect(await ada.locator('.toast.bad').count()).toBe(0);
  });
});

test('a silent or broken connection leaves, with a reason, and may reconnect', async () => {
  const session = await makeSession(example, NAMES.slice(0, 2));
  const ada = await attend(session, 0);
  const graceId = attendeeAt(session, 1).id;
  const proxy = await startTcpProxy({ to: example.cluster.edge(1).process.port });
  const token = await tokenOf(session, attendeeAt(session, 1));
  const grace = await connect(`ws://127.0.0.1:${proxy.port}${pathOf(session, graceId)}`, { token, name: 'Grace' });
  await tell(grace, 'join_session', {});
  await ada.nextFrame({ type: 'attendee_joined', payload: { attendee_id: graceId } });
  proxy.behave({ blackHole: true });
  const { payload } = await ada.nextFrame('attendee_left');
  expect(payload).toEqual({ attendee_id: graceId, reason: 'dropped' });
  // Back with another connection, the attendee joins again.
  const again = await attend(session, 1);
  await ada.nextFrame({ type: 'attendee_joined', payload: { attendee_id: graceId } });
  await again.terminate();
  expect((await ada.nextFrame('attendee_left')).payload).toEqual({ attendee_id: graceId, reason: 'dropped' });
});

describe('killed, or there twice', () => {
  const features = ['A', 'B', 'C', 'D', 'E', 'F'];

  /** Each votes in `count` comparisons; all the same. */
  async function voteAll(clients: readonly RawClient[], from: number, count: number): Promise<void> {
    for (let index = from; index < from + count; index++) {
      for (const client of clients) await cast(client, `c${index + 1}`, TIE);
    }
  }

  /** Received votes, as attendee and comparison; in the order of the history, which has no hole. */
  function receivedVotes(client: RawClient): string[] {
    const notice = roomMessages(client);
    const offsets = notice.map(({ offset }) => offset ?? 0);
    expect(offsets).toEqual(offsets.map((_, index) => (offsets[0] ?? 0) + index));
    const votes = notice.filter(({ type }) => type === 'vote_received');
    return votes.map(({ payload }) => `${payload?.attendee_id} ${payload?.comparison_id}`);
  }

  test('no vote is lost or counted twice when the service is killed in the middle of votes', async () => {
    const session = await makeSession(example, NAMES, features);
    const clients = await attendAll(session);
    const [ada] = clients as [RawClient];
    const votes = voteAll(clients, 0, 7);
    await ada.nextFrame({ type: 'vote_received', payload: { votes_received: 2 } });
    await example.service.kill();
    await votes; // Acknowledged by the edge: they are in the stream, whoever reads it, and when.
    await example.service.start();
    await ada.nextFrame({ type: 'session_progress', payload: { completed_comparisons: 5 } });
    await example.service.kill();
    await example.service.start();
    const end = { type: 'session_progress', payload: { completed_comparisons: 7 } };
    for (const client of clients) {
      await client.nextFrame(end);
      const notice = receivedVotes(client);
      expect(notice).toHaveLength(21);
      expect(new Set(notice).size).toBe(21);
      const reached = roomMessages(client).filter(({ type }) => type === 'consensus_reached');
      expect(reached.map(({ payload }) => payload?.comparison_id)).toEqual(['c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7']);
    }
  });

  test('events that are given out a second time, all of them, change and double nothing', async () => {
    const redis = example.redis.connection();
    const stream = `${example.redis.prefix}:events:{pairwise}`;
    await redis.xgroup('CREATE', stream, 'keeper', '$'); // Entries that it has not read are not trimmed.
    const session = await makeSession(example, NAMES, features);
    const clients = await attendAll(session);
    const [ada, grace] = clients as [RawClient, RawClient];
    await voteAll(clients, 0, 2);
    await cast(grace, 'c1', FOR_FIRST);
    await ada.nextFrame('consensus_lost');
    await example.service.kill();
    const [oldest] = await redis.xrange(stream, '-', '+', 'COUNT', 1);
    if (oldest === undefined) throw new Error('The stream is empty.');
    const beforeIt = oldest[0].replace(/^\d+/, ms => String(Number(ms) - 1));
    await redis.xgroup('SETID', stream, 'pairwise', beforeIt);
    await example.service.start();
    await cast(ada, 'c3', TIE);
    for (const client of clients) {
      await client.nextFrame({ type: 'vote_received', payload: { comparison_id: 'c3' } });
      expect(receivedVotes(client)).toHaveLength(8);
      const types = roomMessages(client).map(({ type }) => type);
      expect(types.filter(type => type === 'consensus_reached')).toHaveLength(2);
      expect(types.filter(type => type === 'consensus_lost')).toHaveLength(1);
    }
    expect(await redis.xlen(`${stream}:dead:pairwise`)).toBe(0);
    await redis.xgroup('DESTROY', stream, 'keeper');
  });

  test('two instances handle each vote once; the standby takes over from one that was killed', async () => {
    const another = await example.service.startAnother();
    const session = await makeSession(example, NAMES, features);
    const clients = await attendAll(session);
    const [ada] = clients as [RawClient];
    await voteAll(clients, 0, 2);
    await ada.nextFrame({ type: 'session_progress', payload: { completed_comparisons: 2 } });
    await example.service.kill();
    await voteAll(clients, 2, 3);
    for (const client of clients) {
      await client.nextFrame({ type: 'session_progress', payload: { completed_comparisons: 5 } });
      const notice = receivedVotes(client);
      expect(notice).toHaveLength(15);
      expect(new Set(notice).size).toBe(15);
    }
    await example.service.start();
    await another.process.kill();
    await voteAll(clients, 5, 1);
    await ada.nextFrame({ type: 'session_progress', payload: { completed_comparisons: 6 } });
  });

  test('a leave that no service received, because the news expired, is discovered', async () => {
    const session = await makeSession(example, NAMES);
    const [ada, grace, linus] = (await attendAll(session)) as [RawClient, RawClient, RawClient];
    await cast(grace, 'c1', TIE);
    await ada.nextFrame('vote_received');
    await example.service.kill();
    await linus.terminate();
    await ada.nextFrame('user_left');
    const redis = example.redis.connection();
    const streams = await redis.keys(`${example.redis.prefix}:presence:*:lifecycle`);
    expect(streams).not.toEqual([]);
    await redis.del(...streams);
    await example.service.start();
    await cast(ada, 'c1', TIE);
    const { payload } = await ada.nextFrame('attendee_left');
    expect(payload).toEqual({ attendee_id: attendeeAt(session, 2).id, reason: 'dropped' });
    await ada.nextFrame('consensus_reached');
  });
});
