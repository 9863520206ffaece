/** An authorizer that fails: what that costs, and when it is asked again (docs/authorizer.md). */

import { eventually, metricValue } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { connect, connectRefused } from '../support/raw-client.js';
import { type AuthorizerDouble, says } from './authorizer-double.js';
import { code, join, KEY, send, start } from './authorizer-story.js';
import { limitCount } from './limit-count.js';

describe('an authorizer that fails', () => {
  const BROKEN: Readonly<Record<string, AuthorizerDouble['answer']>> = {
    'does not answer in time': () => {},
    'stops in the middle': (_, response) => response.writeHead(200).write('{"allow":'),
    'cuts the connection': (_, response) => response.socket?.destroy(),
    'says 500': (_, response) => response.writeHead(500).end(JSON.stringify({ allow: true })),
    'says 204': (_, response) => response.writeHead(204).end(),
    'sends elsewhere': (_, response) =>
      response.req.url === '/yes'
        ? says(response, { allow: true })
        : response.writeHead(307, { location: '/yes' }).end(),
    'speaks no JSON': (_, response) => response.end('yes'),
    'says nothing': (_, response) => response.end(),
    'says something else': (_, response) => says(response, { allow: 'yes' }),
    'names a wrong time': (_, response) => says(response, { allow: true, ttl_ms: '5 minutes' }),
    'says too much': (_, response) => says(response, { allow: true, reason: 'x'.repeat(70_000) }),
  };

  test.each(['refuse', 'allow'])('in whichever way: HUBBUB_AUTHORIZER_ON_FAILURE=%s', async onFailure => {
    const { authorizer, cluster, enter, questions } = await start({
      HUBBUB_AUTHORIZE_CONNECTIONS: 'true',
      HUBBUB_AUTHORIZER_ON_FAILURE: onFailure,
      HUBBUB_AUTHORIZER_TIMEOUT_MS: '1000',
      HUBBUB_AUTHORIZER_BREAKER_FAILURES: '1000',
    });
    const ada = await enter('ada');
    await ada.join('wall:1');
    const { wsUrl, roomUrl, process } = cluster.edge(0);
    const token = cluster.token({ user: 'bob' });
    let n = 0;
    for (const [how, answer] of Object.entries(BROKEN)) {
      authorizer.answer = answer;
      const results = [
        code(await join(ada, `club:${++n}`)),
        code(await send(ada, 'wall:1', { n })),
        await connect(wsUrl, { token }).then(
          () => 'ok',
          refused => refused.refusal.status,
        ),
      ];
      expect(results, how).toEqual(onFailure === 'allow' ? ['ok', 'ok', 'ok'] : ['UNAVAILABLE', 'UNAVAILABLE', 503]);
    }
    if (onFailure === 'refuse') {
      const refused = await connectRefused(roomUrl('club:1'), { token });
      expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': expect.any(String) } });
    } else {
      expect(code(await join(ada, 'secret:1'))).toBe('FORBIDDEN');
    }
    expect(await questions('publish', 'failed')).toBe(n);
    const log = process.output.lines.join('\n');
    expect(log).toContain('authorizer_failed');
    for (const secret of [KEY, token]) expect(log).not.toContain(secret);
  });

  test('and is down is left alone after some failures, tried again by one question, and back when that is answered', async () => {
    const { authorizer, cluster, enter, edge, questions } = await start({
      HUBBUB_AUTHORIZER_BREAKER_FAILURES: '3',
      HUBBUB_AUTHORIZER_BREAKER_OPEN_MS: '700',
    });
    const breaker = (state: string) => metricValue(edge, `hubbub_edge_authorizer_breaker{state="${state}"}`);
    const client = await enter('ada');
    let n = 0;
    const ask = async () => code(await join(client, `club:${++n}`));
    expect(await ask()).toBe('ok');
    authorizer.answer = (_, response) => response.writeHead(503).end();
    for (let failure = 0; failure < 3; failure++) expect(await ask()).toBe('UNAVAILABLE');
    expect(authorizer.questions).toHaveLength(4);
    expect(await breaker('open')).toBe(1);
    for (let skipped = 0; skipped < 10; skipped++) expect(await ask()).toBe('UNAVAILABLE');
    expect(authorizer.questions).toHaveLength(4);
    expect(await questions('join', 'breaker_open')).toBe(10);

    // One question tries, and fails: the breaker stays open, and the next ones are not asked.
    await eventually(async () => (await ask()) === 'UNAVAILABLE' && authorizer.questions.length === 5);
    for (let skipped = 0; skipped < 5; skipped++) expect(await ask()).toBe('UNAVAILABLE');
    expect(authorizer.questions).toHaveLength(5);

    // While one question tries, the others are answered immediately.
    const waiting: (() => void)[] = [];
    authorizer.answer = (_, response) => waiting.push(() => says(response, { allow: true }));
    const other = await enter('bob');
    let tried: Promise<unknown> = Promise.resolve();
    await eventually(async () => {
      const trial = ask();
      tried = trial;
      await Promise.race([trial, eventually(() => waiting.length === 1)]);
      return waiting.length === 1;
    });
    expect(code(await join(other, 'club:1'))).toBe('UNAVAILABLE');
    for (const answer of waiting) answer();
    expect(await tried).toBe('ok');
    expect(await breaker('closed')).toBe(1);
    authorizer.answer = (_, response) => says(response, { allow: true });
    expect(code(await join(other, 'club:1'))).toBe('ok');
    const log = cluster.edge(0).process.output.lines.join('\n');
    for (const event of ['authorizer_given_up', 'authorizer_back']) expect(log).toContain(event);
  });

  test('and cannot be reached is the same, and its return is noticed', async () => {
    const { authorizer, enter } = await start({
      HUBBUB_AUTHORIZER_BREAKER_FAILURES: '2',
      HUBBUB_AUTHORIZER_BREAKER_OPEN_MS: '200',
    });
    const client = await enter('ada');
    await authorizer.halt();
    for (let n = 0; n < 4; n++) expect(code(await join(client, 'club:1'))).toBe('UNAVAILABLE');
    await authorizer.restart();
    await eventually(async () => code(await join(client, 'club:1')) === 'ok');
  });

  test.each(['refuse', 'allow'])(
    'questions above the limit are refused with a retry hint, and do not count as failures of the authorizer: HUBBUB_AUTHORIZER_ON_FAILURE=%s',
    async onFailure => {
      const { authorizer, enter, edge, questions } = await start({
        HUBBUB_AUTHORIZER_MAX_PENDING: '2',
        HUBBUB_AUTHORIZER_BREAKER_FAILURES: '1',
        HUBBUB_AUTHORIZER_ON_FAILURE: onFailure,
      });
      const waiting: (() => void)[] = [];
      authorizer.answer = (_, response) => waiting.push(() => says(response, { allow: true }));
      const clients = await Promise.all(['ada', 'bob'].map(user => enter(user)));
      const late = await enter('eve');
      const joins = clients.map(client => join(client, 'club:1'));
      await eventually(() => waiting.length === 2);
      expect(await metricValue(edge, 'hubbub_edge_authorizer_pending')).toBe(2);
      const refused = await join(late, 'club:1');
      expect(refused.payload).toMatchObject({ code: 'UNAVAILABLE', retry_after_ms: expect.any(Number) });
      expect(await limitCount(edge, 'authorizer_questions')).toBe(1);
      for (const answer of waiting) answer();
      expect((await Promise.all(joins)).map(code)).toEqual(['ok', 'ok']);
      authorizer.answer = (_, response) => says(response, { allow: true });
      expect(code(await join(late, 'club:1'))).toBe('ok');
      expect(await questions('join', 'too_many')).toBe(1);
    },
  );

  test.each(['refuse', 'allow'])(
    'one user who asks too much is refused, is not admitted to a denied room, and a bystander joins: HUBBUB_AUTHORIZER_ON_FAILURE=%s',
    async onFailure => {
      const { authorizer, enter } = await start({
        HUBBUB_AUTHORIZER_MAX_PENDING: '20',
        HUBBUB_AUTHORIZER_MAX_PENDING_PER_USER: '5',
        HUBBUB_AUTHORIZER_ON_FAILURE: onFailure,
        HUBBUB_AUTHORIZER_CACHE_MS: '0',
      });
      const deny = (response: Parameters<typeof says>[0]) => says(response, { allow: false });
      const waiting: (() => void)[] = [];
      authorizer.answer = ({ user }, response) =>
        user.id === 'mallory' ? waiting.push(() => deny(response)) : says(response, { allow: true });
      const sessions = await Promise.all(Array.from({ length: 3 }, () => enter('mallory')));
      const bystander = await enter('bob');
      const answers = sessions.map((client, index) =>
        client.ask({
          type: 'resume',
          payload: { rooms: Array.from({ length: 10 }, (_, room) => ({ room_id: `club:${index}-${room}` })) },
        }),
      );
      await eventually(() => waiting.length === 5);
      expect(code(await join(bystander, 'club:1'))).toBe('ok');
      expect(waiting).toHaveLength(5);
      for (const answer of waiting) answer();
      const rooms = (await Promise.all(answers)).flatMap(({ payload }) => payload?.rooms as { error?: object }[]);
      const codes = rooms.map(({ error }) => (error as { code?: string } | undefined)?.code);
      expect(codes.filter(text => text === 'FORBIDDEN')).toHaveLength(5);
      expect(codes.filter(text => text === 'RATE_LIMITED')).toHaveLength(25);
      for (const { error } of rooms.filter(({ error }) => (error as { code?: string }).code === 'RATE_LIMITED')) {
        expect(error).toMatchObject({ retry_after_ms: expect.any(Number) });
      }
    },
  );

  test('sessions without a token share the quota of their address', async () => {
    const { authorizer, cluster } = await start({
      HUBBUB_AUTHORIZER_MAX_PENDING_PER_USER: '1',
      HUBBUB_AUTHORIZER_CACHE_MS: '0',
    });
    const waiting: (() => void)[] = [];
    authorizer.answer = (_, response) => waiting.push(() => says(response, { allow: true }));
    const [first, second, elsewhere] = await Promise.all(
      ['127.0.0.2', '127.0.0.2', '127.0.0.3'].map(localAddress => connect(cluster.edge(0).wsUrl, { localAddress })),
    );
    const asked = first && join(first, 'guests:1');
    await eventually(() => waiting.length === 1);
    expect(second && code(await join(second, 'guests:1'))).toBe('RATE_LIMITED');
    const other = elsewhere && join(elsewhere, 'guests:1');
    await eventually(() => waiting.length === 2);
    for (const answer of waiting) answer();
    expect((await Promise.all([asked, other])).map(frame => frame && code(frame))).toEqual(['ok', 'ok']);
  });

  test('rooms that a resume is refused count as refused frames', async () => {
    const { authorizer, enter } = await start({ HUBBUB_MAX_REFUSALS_PER_MINUTE: '15' });
    authorizer.answer = (_, response) => says(response, { allow: false });
    const mallory = await enter('mallory');
    const resume = () =>
      mallory.send({
        type: 'resume',
        payload: { rooms: Array.from({ length: 10 }, (_, room) => ({ room_id: `club:${room}` })) },
      });
    resume();
    resume();
    expect(await mallory.closed).toMatchObject({ code: 4201 });
  });
});
