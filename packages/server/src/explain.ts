/** Asks every edge, once and by name, what happened to a user, a session or a room. */
import { randomBytes } from 'node:crypto';
import type { BrokerClient } from '@hubbub/broker';
import {
  type Channels,
  type Control,
  decodeEnvelope,
  encodeEnvelope,
  HubbubError,
  jsonCodec,
  SESSION_ID_MAX_BYTES,
} from '@hubbub/protocol';
import { ACCOUNT_MAX_BYTES, type Explanation, type NodeAccount, nodeAccount } from '@hubbub/protocol/account';
import { type CallOptions, checkTimeout } from './calls.js';
import { fieldsOf, roomName, text, userId, wrong } from './checks.js';

/** At least one name. With several, the answer is about all of them. */
export interface ExplainQuery {
  readonly user?: string;
  readonly session?: string;
  readonly room?: string;
}

/** For one call, and one question at a time. */
interface Question {
  readonly waiting: Set<string>;
  readonly answers: Map<string, NodeAccount>;
  readonly done: () => void;
}

/** An edge answers in milliseconds; one that is killed or frozen does not. */
const ANSWER_WITHIN_MS = 2000;
const NO_BODY = new Uint8Array(0);

export class Explainer {
  readonly #brokerClient: Pick<BrokerClient, 'broker' | 'leases'>;
  readonly #channels: Channels;
  /** By the channel of the answers. */
  readonly #questions = new Map<string, Question>();
  #isListening = false;

  /** @param brokerClient its broker must not have another listener */
  constructor(brokerClient: Pick<BrokerClient, 'broker' | 'leases'>, channels: Channels) {
    this.#brokerClient = brokerClient;
    this.#channels = channels;
  }

  /** @throws {HubbubError} `INVALID_FORMAT`, `INVALID_ROOM`, or `UNAVAILABLE` when Redis does not answer */
  async ask(query: ExplainQuery, options: CallOptions = {}): Promise<Explanation> {
    const subject = subjectOf(query);
    const { signal, timeoutMs = ANSWER_WITHIN_MS } = fieldsOf('options', options);
    checkTimeout(timeoutMs);
    signal?.throwIfAborted();
    const { broker, leases } = this.#brokerClient;
    // A fenced edge lives and registers again; a killed one is to be named until presence has forgotten it.
    const [living, dead] = await Promise.all([leases.living(), leases.dead()]);
    const incarnations = [...living.map(({ incarnation }) => incarnation), ...dead];
    const nodes = [...new Set(incarnations.map(nodeOf))].sort();
    const question = randomBytes(12).toString('base64url');
    const channel = this.#channels.account(question);
    const answers = new Map<string, NodeAccount>();
    this.#listen();
    let done = (): void => {};
    const answered = new Promise<void>(resolve => {
      done = resolve;
    });
    const waiting = new Set(nodes);
    this.#questions.set(channel, { waiting, answers, done });
    const timer = setTimeout(done, timeoutMs);
    signal?.addEventListener('abort', done);
    try {
      await broker.subscribe(channel);
      const control: Control = { do: 'explain', question, ...subject };
      const envelope = encodeEnvelope({ encoding: 'json', publishedAtMs: Date.now(), control }, NO_BODY);
      await this.#publish(nodes, envelope, node => {
        waiting.delete(node);
        if (waiting.size === 0) done();
      });
      if (waiting.size > 0) await answered;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      this.#questions.delete(channel);
      void broker.unsubscribe(channel);
    }
    signal?.throwIfAborted();
    return explanationOf(nodes, answers);
  }

  /** A server of several may be away: its edges do not answer. @throws {HubbubError} when no edge can be asked */
  async #publish(nodes: readonly string[], envelope: Uint8Array, onFailed: (node: string) => void): Promise<void> {
    const { broker } = this.#brokerClient;
    const asked = await Promise.allSettled(nodes.map(node => broker.publish(this.#channels.node(node), envelope)));
    const failures = asked.filter(outcome => outcome.status === 'rejected');
    if (nodes.length > 0 && failures.length === nodes.length) throw failures[0]?.reason;
    for (const [index, { status }] of asked.entries()) if (status === 'rejected') onFailed(nodes[index] ?? '');
  }

  #listen(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    this.#brokerClient.broker.onEnvelope((channel, bytes) => {
      const question = this.#questions.get(channel);
      const account = question && readAccount(bytes);
      if (question === undefined || account === undefined || !question.waiting.delete(account.node)) return;
      question.answers.set(account.node, account);
      if (question.waiting.size === 0) question.done();
    });
  }
}

/** @throws {HubbubError} `INVALID_FORMAT`, `INVALID_ROOM` */
function subjectOf(query: ExplainQuery): ExplainQuery {
  const { user, session, room } = fieldsOf('query', query);
  if ((user ?? session ?? room) === undefined) throw wrong('query', 'expected user, session or room');
  return {
    ...(user !== undefined && { user: userId('user', user) }),
    ...(session !== undefined && { session: text('session', session, SESSION_ID_MAX_BYTES) }),
    ...(room !== undefined && { room: roomName(room) }),
  };
}

/** An incarnation is `<node id>/<unique>`, and a node's id has no slash. */
function nodeOf(incarnation: string): string {
  return incarnation.slice(0, incarnation.lastIndexOf('/'));
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

function explanationOf(nodes: readonly string[], answers: ReadonlyMap<string, NodeAccount>): Explanation {
  const accounts = nodes.flatMap(node => answers.get(node) ?? []);
  return {
    nodes: nodes.map(node => {
      const account = answers.get(node);
      if (account === undefined) return { node, state: 'no_answer' };
      const { since, busy, truncated } = account;
      return { node, state: busy ? 'busy' : 'answered', since, ...(truncated && { truncated }) };
    }),
    sessions: accounts
      .flatMap(({ sessions }) => sessions)
      .sort((one, other) => (one.connected_at < other.connected_at ? 1 : -1)),
    refusals: accounts.flatMap(({ refusals }) => refusals).sort((one, other) => (one.at < other.at ? 1 : -1)),
    rooms: accounts.flatMap(({ rooms }) => rooms),
  };
}
