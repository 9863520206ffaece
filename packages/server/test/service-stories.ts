/** Shared parts of stories of services: a service on Redis, and clients' events as edges write them. */
import { type BrokerClient, DEFAULT_NODE_LEASE_MS, openRedisBrokerClient } from '@hubbub/broker';
import { cleanup } from '../../../tests/support/cleanup.js';
import { startRedis, type TestRedis } from '../../../tests/support/redis.js';
import { connectHubbub, type EventsOptions, type Hubbub, type HubbubOptions, type ServiceEvent } from '../src/index.js';

/** Shorter than the default, so that takeovers are quick; longer than the pauses of a busy machine. */
export const LEASE_MS = 1500;

export function connectService(redis: TestRedis, options: Partial<HubbubOptions> = {}): Hubbub {
  const hubbub = connectHubbub({ redisUrl: redis.url, redisPrefix: redis.prefix, ...options });
  cleanup(() => hubbub.close());
  return hubbub;
}

export interface Clients {
  /** For actions of an instance outside the SDK. */
  readonly brokerClient: BrokerClient;
  /** Appends an event of the room, and repeats it until Redis has accepted it. */
  tell(room: string, text: string): Promise<void>;
}

/** Writes events as edges do, without an edge. */
export function clientsOf(redis: TestRedis): Clients {
  const brokerClient = openRedisBrokerClient(redis.url, {
    prefix: redis.prefix,
    commandTimeoutMs: 1000,
    nodeLeaseMs: DEFAULT_NODE_LEASE_MS,
    waitForConnection: true,
    onError: () => {},
  });
  cleanup(() => brokerClient.close());
  let count = 0;
  return {
    brokerClient,
    async tell(room, text) {
      const id = `${++count}`;
      const event = {
        ...{ type: 'told', room, id, payload: { text }, user: { id: 'u1', name: 'One' } },
        ...{ session: { id: 's.1', node: 'edge-1' }, rooms: [room], atMs: Date.now() },
      };
      for (;;) {
        try {
          await brokerClient.events.append({
            ...{ namespace: 'game', event, idempotencyKey: `u1/${id}` },
            ...{ maxLength: 10_000, ttlMs: 60_000 },
          });
          return;
        } catch {
          // As a client does: the key makes it one event, however often it is sent.
        }
      }
    },
  };
}

/** Clients that send events, and a service that records in `heard` the events that it has handled. */
export async function consumerStory() {
  const redis = await startRedis();
  const { tell } = clientsOf(redis);
  const hubbub = connectService(redis);
  const heard: string[] = [];
  const tellAll = async (room: string, count: number) => {
    for (let n = 0; n < count; n++) await tell(room, `${room} ${n}`);
  };
  const consume = (handler: (event: ServiceEvent) => unknown, options: Partial<EventsOptions> = {}) =>
    hubbub.onEvents('game', { group: 'referee', leaseMs: LEASE_MS, ...options }, async event => {
      await handler(event);
      heard.push(textOf(event));
    });
  const waiting = async () => {
    const groups = await redis.connection().call('XINFO', 'GROUPS', `${redis.prefix}:events:{game}`);
    const [info = []] = groups as string[][];
    return Number(info[info.indexOf('pending') + 1]);
  };
  return { redis, hubbub, tell, tellAll, consume, heard, waiting };
}

/** A promise that is resolved from outside. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>(resolve => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

export const textOf = ({ payload }: { readonly payload: Readonly<Record<string, unknown>> }) => String(payload.text);
