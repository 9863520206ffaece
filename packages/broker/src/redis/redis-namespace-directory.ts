/** The namespaces in one Redis hash: name → JSON. */
import { DEFAULT_NAMESPACE, HubbubError } from '@hubbub/protocol';
import {
  ANNOUNCEMENT_TTL_MS,
  NAMESPACE_MAX_AGE_MS,
  type NamespaceDirectory,
  type NamespacePublishing,
  UNCONFIGURED_NAMESPACE,
} from '../namespace-directory.js';
import { RedisScript } from './redis-script.js';
import type { RedisTopology } from './topology.js';
import { orUnavailable } from './unavailable.js';

const announceScript = new RedisScript(new URL('../../lua/namespaces-announce.lua', import.meta.url));

/** Answers that are kept; a service that publishes to more namespaces asks more often. */
const KEPT_MAX = 1000;

export interface RedisNamespaceDirectoryOptions {
  readonly redis: RedisTopology;
  readonly prefix: string;
  /** Age that an answer may have; default 10,000. */
  readonly maxAgeMs?: number;
}

interface Answer {
  askedAtMs: number;
  readonly publishing: Promise<NamespacePublishing>;
}

export class RedisNamespaceDirectory implements NamespaceDirectory {
  readonly #redis: RedisTopology;
  readonly #key: string;
  readonly #maxAgeMs: number;
  readonly #answers = new Map<string, Answer>();

  constructor(options: RedisNamespaceDirectoryOptions) {
    this.#redis = options.redis;
    this.#key = `${options.prefix}:namespaces`;
    this.#maxAgeMs = options.maxAgeMs ?? NAMESPACE_MAX_AGE_MS;
  }

  async announce(namespaces: ReadonlyMap<string, NamespacePublishing>): Promise<void> {
    // The default namespace is always there: so an announcement without namespaces differs from no announcement.
    const fields = [...new Map([[DEFAULT_NAMESPACE, UNCONFIGURED_NAMESPACE], ...namespaces])].flatMap(
      ([name, { historySize, historyTtlMs, durable = false }]) => [
        name,
        JSON.stringify({ historySize, historyTtlMs, ...(durable && { durable }) }),
      ],
    );
    await orUnavailable(() => announceScript.run(this.#redis, [this.#key], [ANNOUNCEMENT_TTL_MS, ...fields]));
  }

  lookup(namespace: string): Promise<NamespacePublishing> {
    const now = performance.now();
    const kept = this.#answers.get(namespace);
    if (kept !== undefined && now - kept.askedAtMs < this.#maxAgeMs) return kept.publishing;
    const answer = { askedAtMs: now, publishing: this.#ask(namespace, kept) };
    if (this.#answers.size >= KEPT_MAX) this.#answers.clear();
    this.#answers.set(namespace, answer);
    return answer.publishing;
  }

  async names(): Promise<readonly string[]> {
    const names = await orUnavailable(() => this.#redis.run(this.#key, server => server.hkeys(this.#key)));
    return names.sort();
  }

  async #ask(namespace: string, before: Answer | undefined): Promise<NamespacePublishing> {
    try {
      const [json, ofDefault] = await orUnavailable(() =>
        this.#redis.run(this.#key, server => server.hmget(this.#key, namespace, DEFAULT_NAMESPACE)),
      );
      if (typeof json === 'string') return parsePublishing(namespace, json);
      if (typeof ofDefault === 'string') return UNCONFIGURED_NAMESPACE;
    } catch (error) {
      this.#askAgain(namespace); // A failure is not kept.
      throw error;
    }
    // Nothing is announced: an edge that starts now is noticed immediately. A Redis that lost its data gets the announcement again from
    // the next edge; until then the known values are the better guess.
    this.#askAgain(namespace);
    return (await before?.publishing.catch(() => undefined)) ?? UNCONFIGURED_NAMESPACE;
  }

  #askAgain(namespace: string): void {
    const answer = this.#answers.get(namespace);
    if (answer !== undefined) answer.askedAtMs = Number.NEGATIVE_INFINITY;
  }
}

/** @throws {HubbubError} `UNAVAILABLE`: taken for "no history", what cannot be read would lose messages silently. */
function parsePublishing(namespace: string, json: string): NamespacePublishing {
  try {
    const { historySize, historyTtlMs, durable } = JSON.parse(json);
    if (isCount(historySize) && isCount(historyTtlMs)) {
      return { historySize, historyTtlMs, ...(durable === true && { durable }) };
    }
  } catch {
    // Not JSON: reported below, like JSON of another shape.
  }
  throw new HubbubError('UNAVAILABLE', `The announcement of the namespace ${namespace} in Redis is malformed.`);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
