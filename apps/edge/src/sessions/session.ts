/** A session: the life of one connection on this edge. It keeps the order of its frames, and answers. */
import type { CloseCode, Frame, HubbubError, Right, Sender, Status } from '@hubbub/protocol';
import type { Request } from '@hubbub/protocol/client-frame';
import { pusherCloseCode } from '@hubbub/protocol/pusher';
import { encodeFor, type SessionEncoding } from '@hubbub/protocol/session-encoding';
import type { JoiningUser } from '../admission/join-authorization.js';
import { type Grant, missingRight, type Rights } from '../admission/rights.js';
import { NO_TOKEN, type TokenIdentity } from '../admission/token-identity.js';
import type { SessionCost } from '../limits/cost-limits.js';
import type { FrameAllowance } from '../limits/frame-limits.js';
import { errorPayload } from '../limits/limit-exceeded.js';
import { RoomNames } from './room-names.js';

/** The part of a connection that a session uses; the engine's socket fits. */
export interface Socket {
  send(bytes: string | Uint8Array, isBinary: boolean): number;
  subscribe(topic: string): boolean;
  unsubscribe(topic: string): boolean;
  /** To all subscribers of the topic but this one, which must be subscribed itself. */
  publish(topic: string, bytes: Uint8Array, isBinary: boolean): boolean;
  end(code: number, reason: string): void;
  /** Ends the connection immediately, and drops frames that still wait for the client. */
  close(): void;
  /** Frames sent within the callback leave together, in one system call. */
  cork(send: () => void): unknown;
  /** Bytes that wait for a slow reader. */
  getBufferedAmount(): number;
}

/** Begins the topics of event streams: no topic of the engine reaches their responses. */
export const STREAM_TOPIC = 's';

/** Where it returns a promise, what comes after it waits. It must neither throw nor reject. */
type Work = () => void | Promise<void>;

/** `opening` until messages reach it; `closed` when its connection ended and must not be touched. */
export type SessionState = 'opening' | 'open' | 'closed';

export interface SessionIdentity extends JoiningUser {
  readonly encoding: SessionEncoding;
  readonly room?: string | undefined;
  readonly token?: TokenIdentity;
}

export class Session {
  readonly id: string;
  readonly user: Sender;
  /** Of the client, as the edge sees it. */
  readonly address: string | undefined;
  readonly encoding: SessionEncoding;
  /** The rights of its token. Use {@link allows}, which includes room tokens. */
  rights: Rights;
  /** When its token ends it, milliseconds since 1970; kept by `Expiry`. */
  expiresAtMs: number | undefined;
  /** Its remaining frames; `undefined` until it sends one. */
  allowance: FrameAllowance | undefined;
  /** Its remaining cost budget; `undefined` until it sends a frame. */
  cost: SessionCost | undefined;
  /** Of its token, for revocations; flat, to save an object for each session. */
  issuedAtSeconds: number;
  tokenId: string | undefined;
  readonly socket: Socket;
  /** The room of the path that it was opened with. It may have left it since. */
  readonly pathRoom: string | undefined;
  /** Rooms it is a member of. */
  readonly rooms = new RoomNames();
  /** Set by those who own the connection: the memberships open and close it. */
  state: SessionState = 'opening';
  /** For its account; whole seconds since 1970, a small integer that takes no memory of its own. */
  readonly openedAtSeconds = Math.floor(Date.now() / 1000);
  /** When it joined the room of its path, as `openedAtSeconds`; 0: it has not. Its later joins are in its trail. */
  joinedPathRoomAtSeconds = 0;
  /** Types of the last frames, packed (account/last-frames.ts). */
  lastFrames = 0;
  /** Its status in the rosters of its rooms. */
  status: Status | undefined;
  /** The code of `end`; the Pusher protocol has another one for it. Only declared: open sessions need no memory for it. */
  declare endedWith?: CloseCode;
  /** By room, from room tokens; each until the session leaves the room. Most sessions have none. */
  #grants: Map<string, Grant> | undefined;
  #waiting: Work[] | undefined;
  #messages = 0;

  constructor(id: string, socket: Socket, identity: SessionIdentity) {
    const { token = NO_TOKEN } = identity;
    this.id = id;
    this.socket = socket;
    this.user = identity.user;
    this.address = identity.address;
    this.encoding = identity.encoding;
    this.rights = identity.rights;
    this.issuedAtSeconds = token.issuedAtSeconds;
    this.tokenId = token.tokenId;
    this.pathRoom = identity.room;
  }

  get closed(): boolean {
    return this.state === 'closed';
  }

  /** Whether it may do this in the room: by its token, or by the room token of its join. */
  allows(room: string, right: Right): boolean {
    return this.rights.allows(room, right) || this.#grants?.get(room)?.rights.includes(right) === true;
  }

  /** @throws {HubbubError} `FORBIDDEN`, which names the room, the right, and what the session has */
  assertAllows(room: string, right: Right): void {
    if (!this.allows(room, right)) throw missingRight(this, room, right, this.#grants?.get(room)?.rights);
  }

  /** The user that the roster of a room shows for it. */
  userIn(room: string): Sender {
    return this.#grants?.get(room)?.member?.user ?? this.user;
  }

  /** Its status in a room where it may publish: only there members see it. */
  statusIn(room: string): Status | undefined {
    const member = this.#grants?.get(room)?.member;
    if (member !== undefined) return member.status;
    return this.status !== undefined && this.allows(room, 'publish') ? this.status : undefined;
  }

  /**
   * Sets the rights of a room token, beside those of the session's token; replaces those of an earlier one. The member stays
   * unless the grant names another: presence has joined the session as this one.
   */
  grant(room: string, grant: Grant): void {
    this.#grants ??= new Map();
    const member = grant.member ?? this.#grants.get(room)?.member;
    this.#grants.set(room, member === undefined ? grant : { ...grant, member });
  }

  /** By room. */
  grants(): readonly (readonly [room: string, grant: Grant])[] {
    return [...(this.#grants ?? [])];
  }

  /** The session is no longer in the room: a client that rejoins brings the room token again. */
  revoke(room: string): void {
    this.#grants?.delete(room);
  }

  /** An id for a message whose sender gave it none; unique in the cluster as the session's is. */
  nextMessageId(): string {
    this.#messages++;
    return `${this.id}-${this.#messages.toString(36)}`;
  }

  /** Frames that wait for an earlier one. */
  get waitingFrames(): number {
    return this.#waiting?.length ?? 0;
  }

  /** Runs work after the frames that have arrived and before later ones. Not once it is closed. */
  inTurn(work: Work): void {
    if (this.#waiting !== undefined) {
      this.#waiting.push(work);
      return;
    }
    const done = work();
    if (done !== undefined) this.hold(done);
  }

  /** Lets frames wait until `done`, then executes them in their order. */
  hold(done: Promise<void>): void {
    this.#waiting ??= [];
    void done.then(() => {
      const waiting = this.#waiting ?? [];
      this.#waiting = undefined;
      for (const work of waiting) if (!this.closed) this.inTurn(work);
    });
  }

  /** Returns what was sent: nothing where the session's encoding has no form of the frame. */
  send(frame: Frame): string | Uint8Array {
    if (this.closed) return '';
    const encoded = encodeFor(this.encoding, frame);
    if (encoded.length > 0) this.socket.send(encoded, this.encoding === 'msgpack');
    return encoded;
  }

  /** Ends the connection with a close frame. */
  end(code: CloseCode, reason: string): void {
    this.endedWith = code;
    this.socket.end(this.encoding === 'pusher' ? pusherCloseCode(code) : code, reason);
  }

  /** A frame that is already JSON, to a session that speaks it. */
  sendText(json: string): void {
    if (!this.closed) this.socket.send(json, false);
  }

  /** Frames already encoded for this session. */
  sendAll(frames: readonly Uint8Array[]): void {
    if (this.closed || frames.length === 0) return;
    this.socket.cork(() => {
      for (const frame of frames) this.socket.send(frame, this.encoding === 'msgpack');
    });
  }

  /** Answers a request. Every answer that this edge makes leaves here; the page of `online_users` comes from presence. */
  answer({ id, room }: Request, answer: Pick<Frame, 'type' | 'payload' | 'offset' | 'epoch'>): string | Uint8Array {
    const { type, ...content } = answer;
    const named = { ...(id !== undefined && { id }), ...(room !== undefined && { room }) };
    return this.send({ type, ...named, ...content, timestamp: new Date().toISOString() });
  }

  /** Answers a request that was executed, when it asked for an answer. */
  acknowledge(
    { id }: Pick<Request, 'id'>,
    room?: string,
    result: Pick<Frame, 'payload' | 'offset' | 'epoch'> = {},
  ): void {
    if (id !== undefined) this.answer({ id, ...(room !== undefined && { room }) }, { type: 'ack', ...result });
  }

  /** Answers a request that was not executed, or of which that is not known. */
  refuse(request: Request, error: HubbubError): void {
    this.answer(request, { type: 'error', payload: errorPayload(error) });
  }
}
