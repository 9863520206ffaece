/** Asks every edge, once and by name, what happened to a user, a session or a room. */
import { randomBytes } from 'node:crypto';
import type { BrokerClient } from '@hubbub/broker';
import {
  type Channels,
  type Control,
  decodeEnvelope,
  type ExplainedSubject,
  encodeEnvelope,
  HubbubError,
  isRoomName,
  isText,
  isUserId,
  jsonCodec,
  nodeOf,
  SESSION_ID_MAX_BYTES,
} from '@hubbub/protocol';
import {
  ACCOUNT_MAX_BYTES,
  type Explanation,
  type NodeAccount,
  type NodeState,
  nodeAccount,
} from '@hubbub/protocol/account';
import { type CallOptions, checkTimeout } from './calls.js';
import type { ChannelListeners } from './channel-listeners.js';
import { fieldsOf, roomName, text, userId, wrong } from './checks.js';

/** At least one of them. With several, the answer is about all. */
export interface ExplainQuery {
  readonly user?: string;
  readonly session?: string;
  readonly room?: string;
  /** The user, the session and the room of this name: for a name from a support ticket. */
  readonly name?: string;
}

/** An edge answers in milliseconds; one that is killed or frozen does not. */
const ANSWER_WITHIN_MS = 2000;
const NO_BODY = new Uint8Array(0);

interface Answers {
  readonly nodes: readonly string[];
  readonly accounts: ReadonlyMap<string, NodeAccount>;
}

export class Explainer {
  readonly #brokerClient: Pick<BrokerClient, 'broker' | 'leases'>;
  readonly #listeners: ChannelListeners;
  readonly #channels: Channels;

  constructor(brokerClient: Pick<BrokerClient, 'broker' | 'leases'>, listeners: ChannelListeners, channels: Channels) {
    this.#brokerClient = brokerClient;
    this.#listeners = listeners;
    this.#channels = channels;
  }

  /** @throws {HubbubError} `INVALID_FORMAT`, `INVALID_ROOM`, or `UNAVAILABLE` when Redis does not answer */
  async explain(query: ExplainQuery, options?: CallOptions): Promise<Explanation> {
    return explanationOf(await this.#ask(subjectOf(query), options));
  }

  /** @throws {HubbubError} `INVALID_FORMAT`, or `UNAVAILABLE` when Redis does not answer */
  async nodes(options?: CallOptions): Promise<readonly NodeState[]> {
    const { nodes, accounts } = await this.#ask({}, options);
    return nodes.map(node => {
      const load = accounts.get(node)?.load;
      return { ...stateOf(node, accounts.get(node)), ...(load !== undefined && { load }) };
    });
  }

  async #ask(subject: ExplainedSubject, options: CallOptions = {}): Promise<Answers> {
    const { signal, timeoutMs = ANSWER_WITHIN_MS } = fieldsOf('options', options);
    checkTimeout(timeoutMs);
    signal?.throwIfAborted();
    const nodes = await this.#nodes();
    const question = randomBytes(12).toString('base64url');
    const waiting = new Set(nodes);
    const accounts = new Map<string, NodeAccount>();
    let done = (): void => {};
    const answered = new Promise<void>(resolve => {
      done = resolve;
    });
    const settle = (node: string): void => {
      waiting.delete(node);
      if (waiting.size === 0) done();
    };
    const timer = setTimeout(() => done(), timeoutMs);
    signal?.addEventListener('abort', done);
    let end = (): void => {};
    try {
      end = await this.#listeners.listen(this.#channels.account(question), bytes => {
        const account = readAccount(bytes);
        if (account === undefined || !waiting.has(account.node)) return;
        accounts.set(account.node, account);
        settle(account.node);
      });
      const control: Control = { do: 'explain', question, ...subject };
      const envelope = encodeEnvelope({ encoding: 'json', publishedAtMs: Date.now(), control }, NO_BODY);
      await this.#publish(nodes, envelope, settle);
      if (waiting.size > 0) await answered;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      end();
    }
    signal?.throwIfAborted();
    return { nodes, accounts };
  }

  /** A fenced edge lives and registers again; a killed one is to be named until presence has forgotten it. */
  async #nodes(): Promise<readonly string[]> {
    const { leases } = this.#brokerClient;
    const [living, dead] = await Promise.all([leases.living(), leases.dead()]);
    const incarnations = [...living.map(({ incarnation }) => incarnation), ...dead];
    return [...new Set(incarnations.map(nodeOf))].sort();
  }

  /** A server of several may be away: its edges do not answer. @throws {HubbubError} when no edge can be asked */
  async #publish(nodes: readonly string[], envelope: Uint8Array, onFailed: (node: string) => void): Promise<void> {
    const { broker } = this.#brokerClient;
    const asked = await Promise.allSettled(nodes.map(node => broker.publish(this.#channels.node(node), envelope)));
    const failures = asked.filter(outcome => outcome.status === 'rejected');
    if (nodes.length > 0 && failures.length === nodes.length) throw failures[0]?.reason;
    for (const [index, { status }] of asked.entries()) if (status === 'rejected') onFailed(nodes[index] ?? '');
  }
}

/** @throws {HubbubError} `INVALID_FORMAT`, `INVALID_ROOM` */
function subjectOf(query: ExplainQuery): ExplainedSubject {
  const { user, session, room, name } = fieldsOf('query', query);
  const subject = {
    ...(name !== undefined && subjectsNamed(name)),
    ...(user !== undefined && { user: userId('user', user) }),
    ...(session !== undefined && { session: text('session', session, SESSION_ID_MAX_BYTES) }),
    ...(room !== undefined && { room: roomName(room) }),
  };
  if (Object.keys(subject).length > 0) return subject;
  throw wrong('query', 'expected the id of a user or a session, or the name of a room');
}

function subjectsNamed(name: string): ExplainedSubject {
  return {
    ...(isUserId(name) && { user: name }),
    ...(isText(name, SESSION_ID_MAX_BYTES) && { session: name }),
    ...(isRoomName(name) && { room: name }),
  };
}

/** `undefined` for anything else on the channel: the edge counts as one that did not answer. */
function readAccount(bytes: Uint8Array): NodeAccount | undefined {
  const envelope = bytes.length <= ACCOUNT_MAX_BYTES ? decodeEnvelope(bytes) : undefined;
  if (envelope === undefined) return undefined;
  try {
    return nodeAccount.safeParse(jsonCodec.decode(envelope.body)).data;
  } catch (error) {
    if (error instanceof HubbubError) return undefined; // Not JSON.
    throw error;
  }
}

function stateOf(node: string, account: NodeAccount | undefined): Explanation['nodes'][number] {
  if (account === undefined) return { node, state: 'no_answer' };
  const { since, busy, truncated } = account;
  return { node, state: busy ? 'busy' : 'answered', since, ...(truncated && { truncated }) };
}

function explanationOf({ nodes, accounts }: Answers): Explanation {
  const found = nodes.flatMap(node => accounts.get(node) ?? []);
  return {
    nodes: nodes.map(node => stateOf(node, accounts.get(node))),
    sessions: found
      .flatMap(({ sessions }) => sessions)
      .sort((one, other) => (one.connected_at < other.connected_at ? 1 : -1)),
    refusals: found.flatMap(({ refusals }) => refusals).sort((one, other) => (one.at < other.at ? 1 : -1)),
    rooms: found.flatMap(({ rooms }) => rooms),
  };
}
