/** What must hold between two times or sizes: one table, for the check at the start and for the page of the settings. */
import type { Namespace, Namespaces } from './namespaces.js';
import { environmentName, type Settings } from './settings/settings.js';

/** Settings in effect: those that depend on others have their value. */
export type RelatedSettings = Settings & {
  readonly drainDelayMs: number;
  readonly conflateAboveBytes: number;
  readonly pingIntervalMs: number;
  readonly namespaces: Namespaces;
};

type Name = keyof Settings;

export interface Relation {
  /** The setting that is too small where the relation does not hold; of a namespace: one of its fields. */
  readonly setting: Name | `namespaces.${keyof Namespace & string}`;
  readonly bound: 'at least' | 'more than';
  /** The other side, in the names of the settings. */
  readonly other: string;
  readonly because: string;
  /** A problem stops the start. */
  readonly severity: 'problem' | 'warning';
  /** Where one of these is wrong itself, there is nothing to compare. */
  readonly reads: readonly Name[];
  valueOf(settings: RelatedSettings): number;
  /** Whether there is anything to compare; a rate of 0 is no limit. Default: always. */
  applies?(settings: RelatedSettings, namespace: Namespace): boolean;
}

export const RELATIONS: readonly Relation[] = [
  {
    setting: 'probeTimeoutMs',
    bound: 'at least',
    other: 'probeIntervalMs',
    because: 'silence would be judged before a message was sent',
    severity: 'problem',
    reads: ['probeTimeoutMs', 'probeIntervalMs'],
    valueOf: ({ probeIntervalMs }) => probeIntervalMs,
  },
  {
    setting: 'shutdownTimeoutMs',
    bound: 'more than',
    other: 'drainDelayMs + drainWindowMs',
    because: 'the process would end while it sends its sessions away',
    severity: 'problem',
    reads: ['shutdownTimeoutMs', 'drainDelayMs', 'drainWindowMs'],
    valueOf: ({ drainDelayMs, drainWindowMs }) => drainDelayMs + drainWindowMs,
  },
  {
    setting: 'maxBufferedBytes',
    bound: 'at least',
    other: '2 × conflateAboveBytes',
    because: 'a slow reader would be cut off before conflation helps it',
    severity: 'problem',
    reads: ['maxBufferedBytes', 'conflateAboveBytes'],
    valueOf: ({ conflateAboveBytes }) => 2 * conflateAboveBytes,
  },
  {
    setting: 'maxBufferedBytes',
    bound: 'at least',
    other: '2 × maxFrameBytes',
    because: 'two messages would cut off a reader who is a moment behind',
    severity: 'problem',
    reads: ['maxBufferedBytes', 'maxFrameBytes'],
    valueOf: ({ maxFrameBytes }) => 2 * maxFrameBytes,
  },
  {
    setting: 'maxBufferedBytes',
    bound: 'at least',
    other: 'apiMaxBodyBytes',
    because: 'a message of the HTTP API could cut off its readers',
    severity: 'warning',
    reads: ['maxBufferedBytes', 'apiMaxBodyBytes'],
    valueOf: ({ apiMaxBodyBytes }) => apiMaxBodyBytes,
  },
  {
    setting: 'maxBufferedBytes',
    bound: 'at least',
    other: 'historyPageSize × maxFrameBytes',
    because: 'a page of large messages could cut off who asked for it',
    severity: 'warning',
    reads: ['maxBufferedBytes', 'historyPageSize', 'maxFrameBytes'],
    valueOf: ({ historyPageSize, maxFrameBytes }) => historyPageSize * maxFrameBytes,
  },
  {
    setting: 'idleTimeoutMs',
    bound: 'more than',
    other: 'pingIntervalMs',
    because: 'the edge would close a silent client before it pings',
    severity: 'problem',
    reads: ['idleTimeoutMs', 'pingIntervalMs'],
    valueOf: ({ pingIntervalMs }) => pingIntervalMs,
  },
  {
    setting: 'backoffCapMs',
    bound: 'at least',
    other: 'backoffBaseMs',
    because: 'the first delay of a client would be above the longest',
    severity: 'problem',
    reads: ['backoffCapMs', 'backoffBaseMs'],
    valueOf: ({ backoffBaseMs }) => backoffBaseMs,
  },
  {
    setting: 'jwtJwksMaxAgeMs',
    bound: 'more than',
    other: 'jwtJwksRefreshMs',
    because: 'the keys would be given up before they are read again',
    severity: 'problem',
    reads: ['jwtJwksMaxAgeMs', 'jwtJwksRefreshMs'],
    valueOf: ({ jwtJwksRefreshMs }) => jwtJwksRefreshMs,
  },
  {
    setting: 'handshakeTimeoutMs',
    bound: 'more than',
    other: '2 × authorizerTimeoutMs',
    because: 'a connection would be closed before the authorizer has answered about it and its room',
    severity: 'warning',
    reads: ['handshakeTimeoutMs', 'authorizerTimeoutMs', 'authorizerUrl'],
    valueOf: ({ authorizerTimeoutMs }) => 2 * authorizerTimeoutMs,
    applies: ({ authorizerUrl }) => authorizerUrl !== undefined,
  },
  {
    setting: 'nodeLeaseMs',
    bound: 'more than',
    other: 'redisCommandTimeoutMs',
    because: 'an edge would be dead for others before it notices that its lease was not renewed',
    severity: 'warning',
    reads: ['nodeLeaseMs', 'redisCommandTimeoutMs', 'redisUrl'],
    valueOf: ({ redisCommandTimeoutMs }) => redisCommandTimeoutMs,
    applies: ({ redisUrl }) => redisUrl !== undefined,
  },
  {
    setting: 'maxUserFramesPerSecond',
    bound: 'at least',
    other: 'maxFramesPerSecond',
    because: 'a session could not send what it may',
    severity: 'warning',
    reads: ['maxUserFramesPerSecond', 'maxFramesPerSecond'],
    valueOf: ({ maxFramesPerSecond }) => maxFramesPerSecond,
    applies: ({ maxUserFramesPerSecond }) => maxUserFramesPerSecond > 0,
  },
  {
    setting: 'maxAddressFramesPerSecond',
    bound: 'at least',
    other: 'maxUserFramesPerSecond',
    because: 'a user could not send what it may',
    severity: 'warning',
    reads: ['maxAddressFramesPerSecond', 'maxUserFramesPerSecond'],
    valueOf: ({ maxUserFramesPerSecond }) => maxUserFramesPerSecond,
    applies: ({ maxAddressFramesPerSecond }) => maxAddressFramesPerSecond > 0,
  },
  {
    setting: 'namespaces.historyTtlMs',
    bound: 'at least',
    other: '2 × historyCheckIntervalMs',
    because: 'the history of a silent room would be forgotten between two checks, and its members told of a gap',
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

/** @param wrong settings that are wrong themselves */
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
