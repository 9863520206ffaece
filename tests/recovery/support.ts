/** A cluster whose namespaces have histories, and members who are checked message by message. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Frame, Position } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { expect } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { type StartClusterOptions, startCluster, type TestCluster, type TestEdge } from '../support/cluster.js';
import { type ConnectOptions, connect, type RawClient } from '../support/raw-client.js';

/** `chat` remembers enough for every story, `short` five messages, `echo` sends to the sender too, `plain` nothing. */
const NAMESPACES = {
  chat: { public: true, historySize: 5000 },
  short: { public: true, historySize: 5 },
  echo: { public: true, historySize: 100, echo: true },
  plain: { public: true },
};

export interface StartWithHistoryOptions extends StartClusterOptions {
  /** In addition to those of every story. */
  readonly namespaces?: Readonly<Record<string, object>>;
}

export async function startWithHistory({
  env,
  namespaces,
  ...options
}: StartWithHistoryOptions = {}): Promise<TestCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'hubbub-recovery-'));
  cleanup(() => rm(directory, { recursive: true }));
  const config = join(directory, 'hubbub.json');
  await writeFile(config, JSON.stringify({ namespaces: { ...NAMESPACES, ...namespaces } }));
  return await startCluster({ presence: 0, ...options, env: { HUBBUB_CONFIG: config, ...env } });
}

export async function enter(
  cluster: TestCluster,
  edge: TestEdge,
  name: string,
  encoding: NonNullable<ConnectOptions['encoding']> = 'json',
): Promise<RawClient> {
  return await connect(edge.wsUrl, { name, encoding, token: cluster.token({ user: name }) });
}

/** Joins, and returns the position from which it hears. */
export async function joinAt(client: RawClient, room: string, since?: Position): Promise<Frame> {
  return await client.ask({ type: 'join_room', payload: { room_id: room, ...since } });
}

/** Requests the messages after the positions, and returns the answer for each room. */
export async function resume(client: RawClient, rooms: Readonly<Record<string, Position>>): Promise<unknown[]> {
  const named = Object.entries(rooms).map(([room_id, position]) => ({ room_id, ...position }));
  const answer = await client.ask({ type: 'resume', payload: { rooms: named } });
  return answer.payload?.rooms as unknown[];
}

export function position(frame: Frame): Position {
  const { epoch, offset } = frame.payload as unknown as Position;
  return { epoch, offset };
}

/** The numbers of the messages that the client received. Throws unless each arrived once and in order. */
export function numbers(client: RawClient, room: string): number[] {
  return messages(client, room).map(({ payload }) => payload?.n as number);
}

export function messages(client: RawClient, room: string): Frame[] {
  return client.frames.filter(frame => frame.type === 'new_message' && frame.room === room);
}

/** Every message once and in order: its offsets have no hole. */
export function expectWhole(client: RawClient, room: string, after: number, upTo: number): void {
  const offsets = messages(client, room).map(({ offset }) => offset);
  const expected = Array.from({ length: upTo - after }, (_, index) => after + index + 1);
  expect(offsets, client.name).toEqual(expected);
}

export interface Stream {
  /** Acknowledged offsets, in the order of sending. */
  readonly acked: readonly number[];
  readonly sent: number;
  /** Ends it, and returns the last offset. */
  stop(): Promise<number>;
}

/**
 * Sends numbered messages, each after the ack of the one before, as fast as that goes.
 * Refused messages are sent again under their `message_id`, as the SDK does.
 */
export function stream(client: RawClient, room: string, from = 0): Stream {
  const acked: number[] = [];
  let sent = from;
  let stopped = false;
  const running = (async () => {
    while (!stopped) {
      sent++;
      const name = `${client.name}-${sent}`;
      const message = { type: 'send_message', room, id: name, message_id: name, payload: { n: sent } };
      const answer = await eventually(async () => {
        client.send(message);
        const frame = await client.nextFrame({ id: message.id });
        return frame.type === 'ack' && frame;
      });
      acked.push(answer.offset ?? 0);
    }
  })();
  running.catch(() => {});
  return {
    acked,
    get sent() {
      return sent;
    },
    async stop() {
      stopped = true;
      await running;
      return acked.at(-1) ?? 0;
    },
  };
}

/** The sum of a counter's values whose labels hold `label`. */
export async function metric(edge: TestEdge, name: string, label = ''): Promise<number> {
  const page = await (await fetch(`${edge.adminUrl}/metrics`)).text();
  const lines = page.split('\n').filter(line => line.startsWith(name) && line.includes(label));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
