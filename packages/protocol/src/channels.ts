/** Names of Redis channels (PROTOCOL.md section 7). The braces make the name the hash tag of Redis Cluster. */

export const DEFAULT_REDIS_PREFIX = 'hubbub';

/** Where an envelope is going. */
export type Address =
  | { readonly kind: 'room'; readonly room: string }
  | { readonly kind: 'user'; readonly userId: string }
  | { readonly kind: 'node'; readonly nodeId: string }
  | { readonly kind: 'broadcast' };

/** Writes and reads channel names of one cluster; two clusters share a Redis under two prefixes. */
export class Channels {
  readonly broadcast: string;
  readonly #room: string;
  readonly #user: string;
  readonly #node: string;
  readonly #account: string;

  constructor(prefix: string = DEFAULT_REDIS_PREFIX) {
    this.broadcast = `${prefix}:broadcast`;
    this.#room = `${prefix}:room:{`;
    this.#user = `${prefix}:user:{`;
    this.#node = `${prefix}:node:{`;
    this.#account = `${prefix}:account:{`;
  }

  room(room: string): string {
    return flat(this.#room, room, '}');
  }

  user(userId: string): string {
    return flat(this.#user, userId, '}');
  }

  node(nodeId: string): string {
    return `${this.#node}${nodeId}}`;
  }

  /** Carries the answers of edges to one question of `hubbub explain`. */
  account(question: string): string {
    return `${this.#account}${question}}`;
  }

  /** The address a channel stands for, or `undefined` when it is not of this cluster. */
  parse(channel: string): Address | undefined {
    if (channel === this.broadcast) return { kind: 'broadcast' };
    if (!channel.endsWith('}')) return undefined;
    if (channel.startsWith(this.#room)) return { kind: 'room', room: channel.slice(this.#room.length, -1) };
    if (channel.startsWith(this.#user)) return { kind: 'user', userId: channel.slice(this.#user.length, -1) };
    if (channel.startsWith(this.#node)) return { kind: 'node', nodeId: channel.slice(this.#node.length, -1) };
    return undefined;
  }
}

/** Concatenated with `+`, V8 keeps the parts: an edge holds a channel for every room and user, each with 40 bytes more. */
function flat(...parts: readonly string[]): string {
  return parts.join('');
}
