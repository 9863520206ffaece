/** Constraints between two times or sizes: one table for the check at startup and for the settings page. */
import type { Namespace, Namespaces } from './namespaces.js';
import { environmentName, type Settings } from './settings/settings.js';

/** Effective settings: every setting that depends on another has its value. */
export type RelatedSettings = Settings & {
  readonly drainDelayMs: number;
  readonly conflateAboveBytes: number;
  readonly pingIntervalMs: number;
  readonly maxTotalBufferedBytes: number;
  readonly maxSessions: number;
  readonly namespaces: Namespaces;
};

type Name = keyof Settings;

export interface Relation {
  /** The setting that is too small if the relation does not hold; for a namespace, one of its fields. */
  readonly setting: Name | `namespaces.${keyof Namespace & string}`;
  readonly bound: 'at least' | 'more than';
  /** The other side, written with setting names. */
  readonly other: string;
  readonly because: string;
  /** A problem prevents the start. */
  readonly severity: 'problem' | 'warning';
  /** The comparison is skipped if one of these settings is invalid itself. */
  readonly reads: readonly Name[];
  valueOf(settings: RelatedSettings): number;
  /** Whether to compare; a rate of 0 means no limit. Default: always. */
  applies?(settings: RelatedSettings, namespace: Namespace): boolean;
}

export const RELATIONS: readonly Relation[] = [
  {
    setting: 'probeTimeoutMs',
    bound: 'at least',
    other: 'probeIntervalMs',
    because: 'the edge would report silence before it sends a probe',
    severity: 'problem',
    reads: ['probeTimeoutMs', 'probeIntervalMs'],
    valueOf: ({ probeIntervalMs }) => probeIntervalMs,
  },
  {
    setting: 'shutdownTimeoutMs',
    bound: 'more than',
    other: 'drainDelayMs + drainWindowMs',
    because: 'the process would exit while it still disconnects sessions',
    severity: 'problem',
    reads: ['shutdownTimeoutMs', 'drainDelayMs', 'drainWindowMs'],
    valueOf: ({ drainDelayMs, drainWindowMs }) => drainDelayMs + drainWindowMs,
  },
  {
    setting: 'maxBufferedBytes',
    bound: 'at least',
    other: '2 × conflateAboveBytes',
    because: 'the edge would disconnect a slow reader before conflation starts',
    severity: 'problem',
    reads: ['maxBufferedBytes', 'conflateAboveBytes'],
    valueOf: ({ conflateAboveBytes }) => 2 * conflateAboveBytes,
  },
  {
    setting: 'maxBufferedBytes',
    bound: 'at least',
    other: '2 × maxFrameBytes',
    because: 'two messages could disconnect a reader that lags for a moment',
    severity: 'problem',
    reads: ['maxBufferedBytes', 'maxFrameBytes'],
    valueOf: ({ maxFrameBytes }) => 2 * maxFrameBytes,
  },
  {
    setting: 'maxBufferedBytes',
    bound: 'at least',
    other: 'apiMaxBodyBytes',
    because: 'one message of the HTTP API could disconnect its readers',
    severity: 'warning',
    reads: ['maxBufferedBytes', 'apiMaxBodyBytes'],
    valueOf: ({ apiMaxBodyBytes }) => apiMaxBodyBytes,
  },
  {
    setting: 'maxBufferedBytes',
    bound: 'at least',
    other: 'historyPageSize × maxFrameBytes',
    because: 'a history page of large messages could disconnect the client that requests it',
    severity: 'warning',
    reads: ['maxBufferedBytes', 'historyPageSize', 'maxFrameBytes'],
    valueOf: ({ historyPageSize, maxFrameBytes }) => historyPageSize * maxFrameBytes,
  },
  {
    setting: 'idleTimeoutMs',
    bound: 'more than',
    other: 'pingIntervalMs',
    because: 'the edge would close a silent client before the client pings',
    severity: 'problem',
    reads: ['idleTimeoutMs', 'pingIntervalMs'],
    valueOf: ({ pingIntervalMs }) => pingIntervalMs,
  },
  {
    setting: 'backoffCapMs',
    bound: 'at least',
    other: 'backoffBaseMs',
    because: "a client's first delay would exceed the maximum",
    severity: 'problem',
    reads: ['backoffCapMs', 'backoffBaseMs'],
    valueOf: ({ backoffBaseMs }) => backoffBaseMs,
  },
  {
    setting: 'jwtJwksMaxAgeMs',
    bound: 'more than',
    other: 'jwtJwksRefreshMs',
    because: 'the keys would expire before the next read',
    severity: 'problem',
    reads: ['jwtJwksMaxAgeMs', 'jwtJwksRefreshMs'],
    valueOf: ({ jwtJwksRefreshMs }) => jwtJwksRefreshMs,
  },
  {
    setting: 'handshakeTimeoutMs',
    bound: 'more than',
    other: '2 × authorizerTimeoutMs',
    because: 'the edge would close a connection before the authorizer answers for it and its room',
    severity: 'warning',
    reads: ['handshakeTimeoutMs', 'authorizerTimeoutMs', 'authorizerUrl'],
    valueOf: ({ authorizerTimeoutMs }) => 2 * authorizerTimeoutMs,
    applies: ({ authorizerUrl }) => authorizerUrl !== undefined,
  },
  {
    setting: 'redisCommandTimeoutMs',
    bound: 'more than',
    other: 'overloadSubscriptionMs',
    because: 'subscriptions would fail before the edge sees that they are late',
    severity: 'warning',
    reads: ['redisCommandTimeoutMs', 'overloadSubscriptionMs', 'shedOverload', 'redisUrl'],
    valueOf: ({ overloadSubscriptionMs }) => overloadSubscriptionMs,
    applies: ({ shedOverload, redisUrl }) => shedOverload && redisUrl !== undefined,
  },
  {
    setting: 'nodeLeaseMs',
    bound: 'more than',
    other: 'redisCommandTimeoutMs',
    because: 'the cluster would treat an edge as dead before the edge notices a failed renewal',
    severity: 'warning',
    reads: ['nodeLeaseMs', 'redisCommandTimeoutMs', 'redisUrl'],
    valueOf: ({ redisCommandTimeoutMs }) => redisCommandTimeoutMs,
    applies: ({ redisUrl }) => redisUrl !== undefined,
  },
  {
    setting: 'maxUserFramesPerSecond',
    bound: 'at least',
    other: 'maxFramesPerSecond',
    because: 'the limit of a user would be below the limit of one session',
    severity: 'warning',
    reads: ['maxUserFramesPerSecond', 'maxFramesPerSecond'],
    valueOf: ({ maxFramesPerSecond }) => maxFramesPerSecond,
    applies: ({ maxUserFramesPerSecond }) => maxUserFramesPerSecond > 0,
  },
  {
    setting: 'maxAddressFramesPerSecond',
    bound: 'at least',
    other: 'maxUserFramesPerSecond',
    because: 'the limit of an address would be below the limit of one user',
    severity: 'warning',
    reads: ['maxAddressFramesPerSecond', 'maxUserFramesPerSecond'],
    valueOf: ({ maxUserFramesPerSecond }) => maxUserFramesPerSecond,
    applies: ({ maxAddressFramesPerSecond }) => maxAddressFramesPerSecond > 0,
  },
  {
    setting: 'namespaces.historyTtlMs',
    bound: 'at least',
    other: '2 × historyCheckIntervalMs',
    because: "a silent room's history would expire between two checks, and its members would get a gap",
    severity: 'problem',
    reads: ['historyCheckIntervalMs'],
    valueOf: ({ historyCheckIntervalMs }) => 2 * historyCheckIntervalMs,
    applies: (_, { historySize }) => historySize > 0,
  },
];

export interface BrokenRelation {
  readonly severity: Relation['severity'];
  readonly message: string;
}

/** @param wrong settings that are invalid themselves */
export function brokenRelations(settings: RelatedSettings, wrong: ReadonlySet<string>): BrokenRelation[] {
  return RELATIONS.filter(({ reads }) => !reads.some(name => wrong.has(name))).flatMap(relation => {
    const { severity, bound, because, applies = () => true } = relation;
    const least = relation.valueOf(settings);
    return valuesOf(relation, settings).flatMap(({ name, value, namespace }) => {
      if (!applies(settings, namespace) || (bound === 'at least' ? value >= least : value > least)) return [];
      const other = relation.other.replace(/[a-z]\w+/g, environmentName);
      return [{ severity, message: `${name}: expected ${bound} ${other} (${least}), and not ${value}: ${because}` }];
    });
  });
}

interface Compared {
  readonly name: string;
  readonly value: number;
  readonly namespace: Namespace;
}

function valuesOf({ setting }: Relation, settings: RelatedSettings): Compared[] {
  const [, field] = /^namespaces\.(.+)$/.exec(setting) ?? [];
  if (field === undefined) {
    return [{ name: environmentName(setting), value: Number(settings[setting as Name]), namespace: Object() }];
  }
  return Object.entries(settings.namespaces).map(([name, namespace]) => ({
    name: `namespaces.${name}.${field}`,
    value: Number(namespace[field as keyof Namespace]),
    namespace,
  }));
}
