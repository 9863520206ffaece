/** A small edge on a real WebSocket server, port 0: one process, no presence, just enough to talk to. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  type Codec,
  chooseSubprotocol,
  DEFAULT_LIMITS,
  type ErrorCode,
  type Frame,
  jsonCodec,
  writeRefusalReason,
} from '@hubbub/protocol';
import { msgpackCodec } from '@hubbub/protocol/msgpack';
import { type WebSocket, WebSocketServer } from 'ws';
import { type NamedPosition, RoomLog } from './room-log.js';

interface Member {
  readonly socket: WebSocket;
  readonly codec: Codec;
  readonly rooms: Set<string>;
}

export class WsEdge {
  readonly members = new Set<Member>();
  /** By room, where the rooms of this edge have a history. */
  readonly logs: Map<string, RoomLog> | undefined;
  /** Called with each message that is in the history and not yet answered or passed on. */
  onAppended: (frame: Frame) => void = () => {};
  /** When set, the next handshakes are refused with this. */
  refusal:
    | {
        status: number;
        code: ErrorCode;
        headers?: Record<string, string>;
        /** For those who ask for a close frame instead of an HTTP answer. */
        closeCode?: number;
        retryAfterMs?: number;
      }
    | undefined;
  /** Paths and queries of the handshakes so far. */
  readonly requested: string[] = [];
  readonly #http: Server = createServer();
  readonly #ws = new WebSocketServer({
    noServer: true,
    handleProtocols: offers => chooseSubprotocol([...offers].join()).selected ?? false,
  });

  private constructor(history: boolean) {
    this.logs = history ? new Map() : undefined;
  }

  static async start({ history = false } = {}): Promise<WsEdge> {
    const edge = new WsEdge(history);
    edge.#http.on('upgrade', (request, socket, head) => edge.#upgrade(request, socket, head));
    await new Promise<void>(resolve => edge.#http.listen(0, '127.0.0.1', resolve));
    return edge;
  }

  get url(): string {
    const { port } = this.#http.address() as AddressInfo;
    return `ws://127.0.0.1:${port}/ws`;
  }

  /** Breaks every connection without a close handshake. */
  cut(): void {
    for (const { socket } of this.members) socket.terminate();
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise(resolve => this.#http.close(resolve));
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const path = request.url ?? '';
    this.requested.push(path);
    if (this.refusal?.closeCode !== undefined && path.includes('errors=close')) {
      const { closeCode, code, retryAfterMs } = this.refusal;
      const message = 'refused by the test';
      const reason = writeRefusalReason({ code, message, ...(retryAfterMs !== undefined && { retryAfterMs }) });
      this.#ws.handleUpgrade(request, socket, head, ws => ws.close(closeCode, reason));
      return;
    }
    if (this.refusal !== undefined) {
      const { status, code, headers = {} } = this.refusal;
      const body = JSON.stringify({ code, message: 'refused by the test' });
      const lines = Object.entries({ ...headers, 'Content-Length': body.length }).map(
        ([key, value]) => `${key}: ${value}`,
      );
      socket.end(`HTTP/1.1 ${status} Refused\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
      return;
    }
    this.#ws.handleUpgrade(request, socket, head, ws => {
      const codec = ws.protocol === 'hubbub.v1.msgpack' ? msgpackCodec : jsonCodec;
      const member = { socket: ws, codec, rooms: new Set<string>() };
      this.members.add(member);
      ws.on('close', () => this.members.delete(member));
      ws.on('message', data => this.#received(member, codec.decode(data as Buffer) as Frame));
      const user = { id: 'u', name: 'U' };
      send(member, { type: 'welcome', payload: { session_id: 's', user, rooms: [], limits: DEFAULT_LIMITS } });
    });
  }

  #received(member: Member, frame: Frame): void {
    const { type, id = '', room = '', payload = {} } = frame;
    if (type === 'leave_room') member.rooms.delete(String(payload.room_id));
    if (type === 'send_message') this.#publish(member, { id, room, payload });
    else if (type === 'join_room') {
      send(member, { type: 'ack', id, payload: { ...this.#enter(member, payload as unknown as NamedPosition) } });
    } else if (type === 'resume') {
      const rooms = (payload.rooms as NamedPosition[]).map(place => this.#enter(member, place));
      send(member, { type: 'ack', id, payload: { rooms } });
    } else send(member, { type: type === 'ping' ? 'pong' : 'ack', id });
  }

  /** Replays what is missing, then what comes is live; without an await in between. */
  #enter(member: Member, place: NamedPosition): object {
    member.rooms.add(place.room_id);
    const log = this.#log(place.room_id);
    if (log === undefined) return { room_id: place.room_id };
    const { missing, answer } = log.recover(place);
    for (const frame of missing) send(member, frame);
    return answer;
  }

  #publish(member: Member, { id, room, payload }: Required<Pick<Frame, 'id' | 'room' | 'payload'>>): void {
    const message: Frame = { type: 'new_message', room, id, payload, sender: { id: 'u', name: 'U' } };
    const { frame, isNew } = this.#log(room)?.append(message) ?? { frame: message, isNew: true };
    if (isNew) this.onAppended(frame);
    send(member, { type: 'ack', id, ...(frame.offset !== undefined && { offset: frame.offset }) });
    for (const other of this.members) {
      if (isNew && other !== member && other.rooms.has(room)) send(other, frame);
    }
  }

  #log(room: string): RoomLog | undefined {
    if (this.logs === undefined) return undefined;
    const log = this.logs.get(room) ?? new RoomLog();
    this.logs.set(room, log);
    return log;
  }
}

function send({ socket, codec }: Member, frame: Frame): void {
  const bytes = codec.encode(frame);
  socket.send(codec.encoding === 'json' ? Buffer.from(bytes).toString() : bytes);
}
