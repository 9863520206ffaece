/** A cluster with webhooks, a receiver, and members that send numbered events. */
import { connectHubbub, type WebhookEvent } from '@hubbub/server';
import { countOf, eventually } from '@hubbub/tools/kit';
import { withConfigFile } from '../presence/config-file.js';
import { type Environment, startCluster, type TestCluster } from '../support/cluster.js';
import { runHubbub, startProcess, type TestProcess } from '../support/process.js';
import { connect } from '../support/raw-client.js';
import type { TestRedis } from '../support/redis.js';
import { type Receiver, SECRET, startReceiver } from './receiver.js';

export const NAMESPACES = {
  game: { public: true, events: ['move', 'chat.*'], memberEvents: true, leaveGraceMs: 0 },
  other: { public: true, events: ['move'], leaveGraceMs: 0 },
};

/** Quick retries, and takeovers that are as quick as the kit allows. */
const QUICK = { HUBBUB_WEBHOOK_RETRY_DELAY_MS: '20', HUBBUB_WEBHOOK_TIMEOUT_MS: '2000' };

export interface WebhookStory {
  readonly cluster: TestCluster;
  readonly receiver: Receiver;
  readonly workers: readonly TestProcess[];
  startWorker(env?: Environment): Promise<TestProcess>;
  /** Runs `hubbub webhooks` with these words. */
  command(...words: string[]): ReturnType<typeof runHubbub>;
  /** Joins the room and sends `count` events, each after the ack of the one before. */
  play(room: string, count: number, first?: number): Promise<void>;
  /** Numbers of the accepted events of a room, in their order, repetitions included. */
  numbers(room: string): readonly number[];
  /** Distinct accepted events of the room. */
  untilAccepted(room: string, count: number): Promise<void>;
  /** Events that the webhook has not acknowledged; undefined where it has no consumer group. */
  waiting(namespace: string): Promise<number | undefined>;
}

export interface WebhookStoryOptions {
  readonly webhook?: object;
  readonly workers?: number;
  readonly env?: Environment;
  readonly presence?: number;
}

export async function startWebhookStory(options: WebhookStoryOptions = {}): Promise<WebhookStory> {
  const receiver = await startReceiver();
  const webhook = { url: receiver.url, secrets: [SECRET], events: ['*'], ...options.webhook };
  const file = withConfigFile({ namespaces: NAMESPACES, webhooks: { referee: webhook } });
  const cluster = await startCluster({ edges: 1, presence: options.presence ?? 0, env: file });
  const workers: TestProcess[] = [];
  const startWorker = async (env: Environment = {}) => {
    const worker = await startProcess(['webhooks'], {
      name: `webhooks-${workers.length + 1}`,
      env: {
        ...{ HUBBUB_ADMIN_PORT: '0', HUBBUB_REDIS_URL: cluster.redis.url },
        ...{ HUBBUB_REDIS_PREFIX: cluster.redis.prefix, ...QUICK, ...file, ...options.env, ...env },
      },
    });
    workers.push(worker);
    return worker;
  };
  for (let n = 0; n < (options.workers ?? 1); n++) await startWorker();
  const ofRoom = (room: string) => receiver.accepted.filter(event => event.room === room);
  return {
    ...{ cluster, receiver, workers, startWorker },
    command: (...words) =>
      runHubbub(['webhooks', ...words], {
        ...{ HUBBUB_REDIS_URL: cluster.redis.url, HUBBUB_REDIS_PREFIX: cluster.redis.prefix, ...file },
      }),
    async play(room, count, first = 1) {
      const client = await connect(cluster.edge(0).wsUrl, { token: cluster.token({ user: `player-of-${room}` }) });
      await client.join(room);
      for (let n = first; n < first + count; n++) {
        const answer = await client.ask({ type: 'move', room, payload: { n } });
        if (answer.type !== 'ack') throw new Error(`event ${n} of ${room}: ${JSON.stringify(answer)}`);
      }
    },
    numbers: room => ofRoom(room).map(numberOf),
    async waiting(namespace) {
      const log = `${cluster.redis.prefix}:events:{${namespace}}`;
      const groups = (await cluster.redis.connection().call('XINFO', 'GROUPS', log)) as (string | number)[][];
      const own = groups.find(info => info.includes('webhook.referee'));
      return own && Number(own[own.indexOf('pending') + 1]);
    },
    untilAccepted: async (room, count) =>
      void (await eventually(() => new Set(ofRoom(room).map(({ id }) => id)).size >= count, {
        describe: `${count} events of ${room} are accepted`,
        withinMs: 30_000,
      })),
  };
}

export function numberOf(event: WebhookEvent): number {
  return Number((event.payload as { n: number }).n);
}

/** The numbers without the repetitions: at least once, each after those before it. */
export function firstTimes(numbers: readonly number[]): readonly number[] {
  return [...new Set(numbers)];
}

export const upTo = (count: number) => Array.from({ length: count }, (_, n) => n + 1);

export function workerOf(workers: readonly (TestProcess | undefined)[]): TestProcess {
  const [worker] = workers;
  if (worker === undefined) throw new Error('The story has no worker.');
  return worker;
}

/** Reads how many events had this result. */
export function eventResult(worker: TestProcess | undefined, result: string): () => Promise<number> {
  return () => countOf(workerOf([worker]), `hubbub_webhooks_events_total{webhook="referee",result="${result}"}`);
}

/** The dead letters of the webhook in the namespace `game`, as the server SDK reads them. */
export async function deadLetters(redis: TestRedis) {
  const hubbub = connectHubbub({ redisUrl: redis.url, redisPrefix: redis.prefix });
  const letters = await hubbub.deadLetters('game', 'webhook.referee');
  await hubbub.close();
  return letters;
}
