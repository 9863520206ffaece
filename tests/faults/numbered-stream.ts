/**
 * A steady stream of numbered messages in several rooms, to SDK clients on several edges. The suite injects every fault
 * into it and checks the result (invariants 1 and 2).
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HubbubClient, type HubbubError } from '@hubbub/client';
import { eventually } from '@hubbub/tools/kit';
import { cleanup } from '../support/cleanup.js';
import type { TestCluster } from '../support/cluster.js';
import { checkHistory, HistoryRecord } from './history-checker.js';
import { descents, sameOrder, twice, Witness } from './witness.js';

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

  /** Resolves when `count` more messages of each room have reached every member. */
  async reaches(count: number, rooms = this.#rooms): Promise<void> {
    const goals = rooms.flatMap(room =>
      this.members.map(({ witnesses }) => {
        const { numbers } = witnesses.get(room) as Witness;
        return { numbers, goal: numbers.length + count };
      }),
    );
    await eventually(() => goals.every(({ numbers, goal }) => numbers.length >= goal), {
      withinMs: 30_000,
      describe: `${count} more messages reach every member of ${rooms.join(', ')}`,
    });
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
        ...twice(witness?.numbersOfEpoch ?? []).map(n => `${name} in ${room}: ${n} came twice`),
        ...descents(witness?.offsets ?? []).map(
          ([one, next]) => `${name} in ${room}: offset ${next} came after ${one}`,
        ),
        ...(sameOrder(first?.witness?.numbersOfEpoch ?? [], witness?.numbersOfEpoch ?? [])
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

  /** Clears the latencies so far, and leaves out those of messages that were already sent. */
  startMeasuring(): void {
    for (const { witnesses } of this.members) for (const witness of witnesses.values()) witness.startMeasuring();
  }

  /** A quantile of the latencies of the selected members and rooms since `startMeasuring`; 1 is the longest. */
  latencyMs(quantile: number, isSelected: (member: string, room: string) => boolean = () => true): number {
    const latencies = this.members
      .flatMap(({ name, witnesses }) =>
        [...witnesses].flatMap(([room, { latenciesMs }]) => (isSelected(name, room) ? latenciesMs : [])),
      )
      .sort((one, other) => one - other);
    return latencies[Math.min(Math.floor(latencies.length * quantile), latencies.length - 1)] ?? Number.NaN;
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
