/** A numbered stream to readers of events, while edges are killed and drained: each number once, in order (invariant 1). */
import { spawn } from 'node:child_process';
import { connectHubbub } from '@hubbub/server';
import { eventually } from '@hubbub/tools/kit';
import { EventSource } from 'eventsource';
import { expect, test } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { startStory } from './story.js';

const ROOMS = ['kept:a', 'kept:b'] as const;
const EVERY_MS = 20;

interface Numbered {
  readonly name: string;
  /** By room. */
  readonly got: Record<string, number[]>;
}

/** A reader that returns by itself, as a browser's. */
function readWithEventSource(name: string, url: string): Numbered {
  const source = new EventSource(url);
  const got: Record<string, number[]> = {};
  source.onmessage = ({ data }) => {
    const { room, payload } = JSON.parse(data) as { room: string; payload: { n: number } };
    got[room] ??= [];
    got[room].push(payload.n);
  };
  cleanup(() => source.close());
  return { name, got };
}

/** A reader in a shell: a loop around curl, which remembers the last id. */
function readWithCurl(name: string, url: string): Numbered {
  const got: Record<string, number[]> = {};
  const script = `id=''; while true; do
    while IFS= read -r line; do
      case "$line" in id:*) id="\${line#id: }";; data:*) echo "$line";; esac
    done < <(curl -sN -H "Last-Event-ID: $id" "$0"); sleep 0.3; done`;
  const child = spawn('bash', ['-c', script, url], { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  cleanup(() => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      const {
        type,
        room = '',
        payload,
      } = JSON.parse(line.slice('data: '.length)) as {
        type?: string;
        room?: string;
        payload?: { n: number };
      };
      if (type !== 'number') continue;
      got[room] ??= [];
      got[room].push(payload?.n ?? Number.NaN);
    }
  });
  return { name, got };
}

test('an edge is killed and another one drained: every reader gets each number once, in order', async () => {
  const { cluster } = await startStory({
    edges: 2,
    env: { HUBBUB_DRAIN_DELAY_MS: '0', HUBBUB_DRAIN_WINDOW_MS: '2000', HUBBUB_MAX_REPLAY_MESSAGES: '1000' },
  });
  const [killed, drained] = [cluster.edge(0), cluster.edge(1)];
  const proxy = await startTcpProxy({ to: killed.process.port });
  const base = `http://127.0.0.1:${proxy.port}`;
  const token = (user: string) => `token=${cluster.token({ user })}`;
  const [one, both] = [`${base}/rooms/kept:a/events?`, `${base}/events?room=kept:a&room=kept:b&`];
  const readers = [
    readWithEventSource('one room', one + token('one')),
    readWithEventSource('two rooms', both + token('two')),
    readWithCurl('curl, one room', one + token('curl-one')),
    readWithCurl('curl, two rooms', both + token('curl-two')),
  ];
  const hubbub = connectHubbub({ redisUrl: cluster.redis.url, redisPrefix: cluster.redis.prefix });
  cleanup(() => hubbub.close());
  let published = 0;
  let running = true;
  const publishing = (async () => {
    while (running) {
      published++;
      for (const room of ROOMS) await hubbub.publishToRoom(room, { type: 'number', payload: { n: published } });
      await new Promise(resolve => setTimeout(resolve, EVERY_MS));
    }
  })();
  const last = ({ got }: Numbered) => Math.min(...Object.values(got).map(numbers => numbers.at(-1) ?? 0));
  const all = (goal: number) =>
    eventually(() => readers.every(reader => Object.keys(reader.got).length > 0 && last(reader) >= goal), {
      withinMs: 30_000,
      describe: `all readers reach ${goal}: ${readers.map(reader => `${reader.name} at ${last(reader)}`).join(', ')}`,
    });
  await all(20);

  proxy.retarget(drained.process.port);
  await killed.process.kill('SIGKILL');
  await all(published + 20);

  const back = await cluster.addEdge({ nodeId: 'edge-3' });
  proxy.retarget(back.process.port);
  expect(await drained.process.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(await drained.process.output.waitForLog({ event: 'drained' })).toMatchObject({ notified: readers.length });
  await all(published + 20);
  running = false;
  await publishing;
  await all(published);

  for (const { name, got } of readers) {
    for (const [room, numbers] of Object.entries(got)) {
      const [first = 1] = numbers;
      const expected = Array.from({ length: published - first + 1 }, (_, at) => first + at);
      expect(numbers, `${name} in ${room}`).toEqual(expected);
    }
  }
}, 120_000);
