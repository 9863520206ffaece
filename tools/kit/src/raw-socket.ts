/** A cheap WebSocket client over a raw socket: writes any bytes, and reads frames in place. */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { encodeFrame, encodeText, FrameReader, OPCODE } from './websocket-frames.js';

const HEAD_END = '\r\n\r\n';
const HEAD_MAX_BYTES = 8192;
/** All sockets of the process read into the same bytes: each read is processed before the next one. */
const RECEIVED = Buffer.allocUnsafeSlow(256 * 1024);
const PONG = encodeFrame(OPCODE.pong, Buffer.alloc(0));
const NORMAL_CLOSE = encodeFrame(OPCODE.close, Buffer.from([0x03, 0xe8]));
/** One key serves all: no client checks the answer to it. */
export const WEBSOCKET_KEY = randomBytes(16).toString('base64');

export interface RawSocketOptions {
  /** Of 127.0.0.1. */
  readonly port: number;
  /** Default: `/ws`. */
  readonly path?: string;
  /** Of the upgrade request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Source address, such as 127.0.0.2. */
  readonly localAddress?: string | undefined;
  /** The upgrade was answered. */
  readonly onOpen?: () => void;
  /** Another answer than 101, with its `Retry-After`; `onEnd` follows. */
  readonly onRefused?: (retryAfterMs: number | undefined) => void;
  /** A read brought frames, or parts of them. */
  readonly onChunk?: () => void;
  /** The payload of a text or binary frame, in place: valid until it returns. */
  readonly onData: (bytes: Buffer, start: number, length: number, opcode: number) => void;
  /** Called once, unless this end closed it. */
  readonly onEnd: (why: string) => void;
}

export interface UpgradeRequest {
  /** Default: `/ws`. */
  readonly path?: string | undefined;
  /** Further lines. */
  readonly headers?: readonly string[];
}

/** The lines of a valid upgrade request. */
export function upgradeLines({ path = '/ws', headers = [] }: UpgradeRequest = {}): string[] {
  return [
    `GET ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${WEBSOCKET_KEY}`,
    ...headers,
  ];
}

export function requestBytes(lines: readonly string[]): Buffer {
  return Buffer.from(`${lines.join('\r\n')}${HEAD_END}`, 'latin1');
}

export class RawSocket {
  /** Why the connection ended; undefined while it is open. */
  ended: string | undefined;
  readonly #options: RawSocketOptions;
  readonly #socket: Socket;
  readonly #reader = new FrameReader((bytes, opcode, start, length) => this.#frame(bytes, opcode, start, length));
  #head = '';
  #isOpen = false;

  constructor(options: RawSocketOptions) {
    this.#options = options;
    const { port, localAddress, path, headers } = options;
    this.#socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      ...(localAddress !== undefined && { localAddress }),
      onread: { buffer: RECEIVED, callback: (length, bytes) => this.#read(bytes as Buffer, length) },
    });
    const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    this.#socket.on('connect', () => this.#socket.write(requestBytes(upgradeLines({ path, headers: fields }))));
    this.#socket.on('error', error => this.#end(error.message));
    this.#socket.on('close', () => this.#end('the server closed the connection'));
  }

  send(text: string): void {
    this.write(encodeText(text));
  }

  /** Writes any bytes, such as several frames. */
  write(bytes: Uint8Array): void {
    if (this.ended === undefined) this.#socket.write(bytes);
  }

  /** Ends it with a close frame. */
  close(): void {
    this.ended ??= 'closed by this client';
    this.#socket.end(NORMAL_CLOSE);
    this.#socket.once('end', () => this.#socket.destroy());
  }

  /** Ends it without a close frame. */
  destroy(): void {
    this.ended ??= 'closed by this client';
    this.#socket.destroy();
  }

  /** Ends it with a reset. */
  reset(): void {
    this.ended ??= 'reset by this client';
    this.#socket.resetAndDestroy();
  }

  #read(bytes: Buffer, length: number): boolean {
    if (this.ended !== undefined) return true;
    const start = this.#isOpen ? 0 : this.#readHead(bytes, length);
    if (start < length) {
      this.#options.onChunk?.();
      this.#reader.read(bytes, start, length);
    }
    return true; // Continue reading.
  }

  /** Returns where the first frame begins. */
  #readHead(bytes: Buffer, length: number): number {
    const before = this.#head.length;
    this.#head += bytes.toString('latin1', 0, length);
    const end = this.#head.indexOf(HEAD_END);
    if (end < 0) {
      if (this.#head.length > HEAD_MAX_BYTES) this.#end('the answer to the upgrade does not end');
      return length;
    }
    if (!this.#head.startsWith('HTTP/1.1 101')) {
      const seconds = /^retry-after: *(\d+)/im.exec(this.#head.slice(0, end))?.[1];
      this.#options.onRefused?.(seconds === undefined ? undefined : Number(seconds) * 1000);
      this.#end(`refused: ${this.#head.slice(0, this.#head.indexOf('\r\n'))}`);
      return length;
    }
    this.#isOpen = true;
    this.#head = '';
    this.#options.onOpen?.();
    return end + HEAD_END.length - before;
  }

  #frame(bytes: Buffer, opcode: number, start: number, length: number): void {
    if (this.ended !== undefined) return;
    if (opcode === OPCODE.text || opcode === OPCODE.binary) this.#options.onData(bytes, start, length, opcode);
    else if (opcode === OPCODE.ping) this.#socket.write(PONG);
    else if (opcode === OPCODE.close) this.#end(`close code ${length >= 2 ? bytes.readUInt16BE(start) : 1005}`);
  }

  #end(why: string): void {
    if (this.ended !== undefined) return;
    this.ended = why;
    this.#socket.destroy();
    this.#options.onEnd(why);
  }
}
