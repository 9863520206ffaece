/**
 * A steady stream of numbered messages in several rooms, to SDK clients on several edges. The suite injects every fault
 * into it and checks the result (invariants 1 and 2).
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HubbubClient, type HubbubError, type Room } from '@hubbub/client';
import { eventually } from '@hubbub/tools/kit';
import { cleanup } from '../support/cleanup.js';
import type { TestCluster } from '../support/cluster.js';
import { checkHistory, HistoryRecord } from './history-checker.js';

/** Settings of a cluster with history in `kept:*`, with a durable one in `safe:*`, and without one in `plain:*`. */
export function historyEnvironment(): Record<string, string> {
  const directory = mkdtempSync(join(tmpdir(), 'hubbub-faults-'));
  cleanup(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'hubbub.yaml');
  writeFileSync(
    path,
    'namespaces:\n  kept: { public: true, historySize: 10000, historyTtlMs: 600000 }\n  safe: { public: true, historySize: 10000, historyTtlMs: 600000, durable: true }\n  plain: { public: true }\n',
  );
  return {
    HUBBUB_CONFIG: path,
    // All clients share one address, and publishers are fast.
    HUBBUB_MAX_CONNECTIONS_PER_ADDRESS: '0',
    HUBBUB_MAX_HANDSHAKES_PER_SECOND: '0',
    HUBBUB_MAX_FRAMES_PER_SECOND: '0',
    HUBBUB_MAX_USER_FRAMES_PER_SECOND: '0',
    HUBBUB_MAX_CALLS_PER_SECOND: '0',
    HUBBUB_MAX_USER_CALLS_PER_SECOND: '0',
    HUBBUB_MAX_ADDRESS_FRAMES_PER_SECOND: '0',
    HUBBUB_MAX_REPLAY_MESSAGES: '10000',
    HUBBUB_PROBE_INTERVAL_MS: '200',
    HUBBUB_PROBE_TIMEOUT_MS: '1000',
    HUBBUB_REDIS_COMMAND_TIMEOUT_MS: '1000',
  };
}

export interface StreamOptions {
  readonly rooms: readonly string[];
  /** The URL of each member; each one joins every room. */
  readonly members: ReadonlyArray<{ readonly name: string; readonly url: string }>;
  /** The URL of the publisher. */
  readonly publisherUrl: string;
  /** The interval between two messages of a room. Default 10. */
  readonly everyMs?: number;
}

/** The view of one member of one room. */
class Witness {
  readonly numbers: number[] = [];
  /** Offsets of the messages in one epoch, if the room has a history. */
  readonly offsets: number[] = [];
  readonly gaps: string[] = [];
  /** The latency of each message; for replayed ones it includes the gap. */
  readonly latenciesMs: number[] = [];

  constructor(room: Room, member: string, record: HistoryRecord) {
    room.on('new_message', frame => {
      record.deliver(room.name, member, Number(frame.payload?.n), frame);
      this.numbers.push(Number(frame.payload?.n));
      if (frame.offset !== undefined) this.offsets.push(frame.offset);
      this.latenciesMs.push(performance.now() - Number(frame.payload?.sentAtMs));
    });
    room.onRecovered(() => record.notice(room.name, member, 'recovered'));
    room.onGap(gap => {
      record.notice(room.name, member, 'loss');
      this.gaps.push(gap.reason);
      if (gap.reason === 'new_epoch') this.offsets.length = 0;
    });
  }
}

interface Member {
  readonly name: string;
  readonly client: HubbubClient;
  readonly witnesses: ReadonlyMap<string, Witness>;
}

export class NumberedStream {
  readonly members: readonly Member[];
  readonly #rooms: readonly string[];
  readonly #publisher: HubbubClient;
  readonly #everyMs: number;
  /** Acknowledged numbers, by room. */
  readonly #acked = new Map<string, number[]>();
  /** Sends that were refused permanently. */
  readonly refused: Array<{ room: string; n: number; code: string }> = [];
  readonly record: HistoryRecord;
  #impossible: string[] = [];
  #running = false;
  #done: Promise<unknown> = Promise.resolve();

  private constructor(
    options: StreamOptions,
    members: readonly Member[],
    publisher: HubbubClient,
    record: HistoryRecord,
  ) {
    this.members = members;
    this.record = record;
    this.#rooms = options.rooms;
    this.#publisher = publisher;
    this.#everyMs = options.everyMs ?? 10;
  }

  /** Connects and joins all members; resolves when the stream flows. */
  static async start(cluster: TestCluster, options: StreamOptions): Promise<NumberedStream> {
    const open = async (name: string, url: string) => {
      const client = new HubbubClient({
        url,
        token: () => cluster.token({ user: name }),
        baseDelayMs: 50,
        maxDelayMs: 500,
        heartbeatIntervalMs: 1000,
        heartbeatTimeoutMs: 1000,
        ackTimeoutMs: 60_000,
      });
      cleanup(() => client.close());
      await client.connect();
      return client;
    };
    const record = new HistoryRecord();
    const members = await Promise.all(
      options.members.map(async ({ name, url }) => {
        const client = await open(name, url);
        const witnesses = new Map(options.rooms.map(room => [room, new Witness(client.room(room), name, record)]));
        await Promise.all(options.rooms.map(room => client.room(room).join()));
        return { name, client, witnesses };
      }),
    );
    const publisher = await open('publisher', options.publisherUrl);
    await Promise.all(options.rooms.map(room => publisher.room(room).join()));
    const stream = new NumberedStream(options, members, publisher, record);
    stream.#running = true;
    stream.#done = Promise.all(options.rooms.map(room => stream.#publish(room)));
    await stream.flows(5);
    return stream;
  }

  /** Resolves when `count` more messages of each room are acked: the system works again. */
  async flows(count: number, withinMs = 30_000): Promise<void> {
    const goals = this.#rooms.map(room => ({ room, goal: this.#ackedIn(room).length + count }));
    await eventually(() => goals.every(({ room, goal }) => this.#ackedIn(room).length >= goal), {
      withinMs,
      describe: `${count} more messages flow in every room`,
    });
  }

  /** Ends the stream, waits until every member has every acked message or a reported gap, and checks the history. */
  async end(withinMs = 30_000): Promise<void> {
    this.#running = false;
    await this.#done;
    await eventually(() => this.#missing().length === 0, {
      withinMs,
      describe: 'every member has every acked message, or a gap was reported',
    }).catch(error => {
      throw new Error(`${error.message}\n${this.#missing().join('\n')}`);
    });
    for (const room of this.#rooms) {
      const last = Math.max(...this.#ackedIn(room));
      for (const { name, witnesses } of this.members) {
        if (witnesses.get(room)?.numbers.includes(last)) this.record.notice(room, name, 'rest');
      }
    }
    this.#impossible = await checkHistory(this.record.operations);
  }

  /**
   * Violations of exactly-once delivery, of offset order, and of one order for all; empty if the invariants held. After
   * `end` they include what the checker of histories found.
   * The order is that of the room: a message with an unknown outcome is sent again, and may follow later ones of its publisher.
   */
  violations(): string[] {
    const found = this.#rooms.flatMap(room => {
      const seen = this.members.map(({ name, witnesses }) => ({ name, witness: witnesses.get(room) }));
      const [first] = seen;
      return seen.flatMap(({ name, witness }) => [
        ...twice(witness?.numbers ?? []).map(n => `${name} in ${room}: ${n} came twice`),
        ...descents(witness?.offsets ?? []).map(
          ([one, next]) => `${name} in ${room}: offset ${next} came after ${one}`,
        ),
        ...(sameOrder(first?.witness?.numbers ?? [], witness?.numbers ?? [])
          ? []
          : [`${name} and ${first?.name} saw two orders in ${room}`]),
      ]);
    });
    return [...found, ...this.#impossible];
  }

  /** The number of acked messages that members lack, with or without a gap: the cost of a fault without history. */
  lost(room: string): number {
    const acked = this.#ackedIn(room);
    return this.members.reduce((sum, { witnesses }) => {
      const seen = new Set(witnesses.get(room)?.numbers);
      return sum + acked.filter(n => !seen.has(n)).length;
    }, 0);
  }

  /** The acknowledged numbers of a room, in the order of their acks. */
  acknowledged(room: string): readonly number[] {
    return this.#ackedIn(room);
  }

  /** Clears the latencies so far. */
  startMeasuring(): void {
    for (const { witnesses } of this.members) for (const witness of witnesses.values()) witness.latenciesMs.length = 0;
  }

  /** The 99th percentile of the latencies of the selected members since `startMeasuring`. */
  p99Ms(members: (name: string) => boolean): number {
    const latencies = this.members
      .filter(({ name }) => members(name))
      .flatMap(({ witnesses }) => [...witnesses.values()].flatMap(({ latenciesMs }) => latenciesMs))
      .sort((one, other) => one - other);
    return latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN;
  }

  /** Gaps reported to members, in one room or in all. */
  gaps(room?: string): string[] {
    return this.members.flatMap(({ witnesses }) =>
      [...witnesses].flatMap(([name, witness]) => (room === undefined || room === name ? witness.gaps : [])),
    );
  }

  async #publish(room: string): Promise<void> {
    const pending = new Set<Promise<void>>();
    for (let n = 0; this.#running; n++) {
      const settle = this.record.publish(room, n);
      const sent = this.#publisher
        .room(room)
        .send({ n, sentAtMs: performance.now() })
        .then(
          receipt => {
            settle(receipt);
            this.#ackedIn(room).push(n);
          },
          (error: HubbubError) => {
            settle(error.code === 'OUTCOME_UNKNOWN' ? 'unknown' : 'refused');
            this.refused.push({ room, n, code: error.code });
          },
        );
      pending.add(sent);
      void sent.then(() => pending.delete(sent));
      // Paced, and never more in flight than an offline queue holds.
      await new Promise(resolve => setTimeout(resolve, this.#everyMs));
      if (pending.size > 20) await Promise.race(pending);
    }
    await Promise.all(pending);
  }

  #ackedIn(room: string): number[] {
    const acked = this.#acked.get(room) ?? [];
    this.#acked.set(room, acked);
    return acked;
  }

  #missing(): string[] {
    return this.#rooms.flatMap(room => {
      const acked = this.#ackedIn(room);
      return this.members.flatMap(({ name, witnesses }) => {
        const witness = witnesses.get(room);
        const seen = new Set(witness?.numbers);
        const missing = acked.filter(n => !seen.has(n));
        if (missing.length === 0 || (witness?.gaps.length ?? 0) > 0) return [];
        return [`${name} lacks ${missing.length} of ${acked.length} in ${room}: ${missing.slice(0, 5).join(', ')} …`];
      });
    });
  }
}

export function twice(numbers: readonly number[]): number[] {
  return numbers.filter((n, index) => numbers.indexOf(n) !== index);
}

export function descents(offsets: readonly number[]): Array<[number, number]> {
  return offsets.slice(1).flatMap((next, index) => {
    const one = offsets[index] ?? 0;
    return next > one ? [] : [[one, next] as [number, number]];
  });
}

/** Whether the common elements have the same order in both. */
export function sameOrder(one: readonly number[], other: readonly number[]): boolean {
  const [inOne, inOther] = [new Set(one), new Set(other)];
  const common = other.filter(n => inOne.has(n));
  return one.filter(n => inOther.has(n)).every((n, index) => n === common[index]);
}
