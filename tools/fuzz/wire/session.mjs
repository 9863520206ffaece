/** A session over a raw socket: shakes hands, writes any bytes, and reads whole frames. */
import { connect } from 'node:net';
import { FrameReader } from '../../bench/load/frame-reader.mjs';
import { frame, OPCODE, request, upgradeLines } from './websocket.mjs';

const HEAD_END = '\r\n\r\n';
const PONG = frame(OPCODE.pong, Buffer.alloc(0));

export class RawSession {
  /** Why it ended; undefined while it is open. @type {string | undefined} */
  ended;
  #socket;
  #head = '';
  #open = false;
  #reader;
  #onEnd;

  /**
   * @param {object} options
   * @param {number} options.port @param {string} options.token @param {'json' | 'msgpack'} options.encoding @param {string} [options.localAddress]
   * @param {(payload: Buffer, opcode: number) => void} options.onFrame data frames, the welcome first; the bytes are valid until it returns
   * @param {(why: string) => void} options.onEnd once, unless `close` or `reset` ended it
   */
  constructor({ port, token, encoding, localAddress, onFrame, onEnd }) {
    this.#onEnd = onEnd;
    this.#reader = new FrameReader((bytes, opcode, start, length) => {
      if (opcode === OPCODE.text || opcode === OPCODE.binary) onFrame(view(bytes, start, length), opcode);
      else if (opcode === OPCODE.ping) this.#socket.write(PONG);
      else if (opcode === OPCODE.close)
        this.#end(`close code ${length >= 2 ? (bytes[start] << 8) + bytes[start + 1] : 1005}`);
    });
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true, ...(localAddress && { localAddress }) });
    const headers = [`Authorization: Bearer ${token}`, `Sec-WebSocket-Protocol: hubbub.v1.${encoding}`];
    this.#socket.on('connect', () => this.#socket.write(request(upgradeLines({ headers }))));
    this.#socket.on('data', bytes => this.#read(bytes));
    this.#socket.on('error', error => this.#end(error.message));
    this.#socket.on('close', () => this.#end('the edge closed the connection'));
  }

  /** @param {Buffer} bytes */
  write(bytes) {
    if (this.ended === undefined) this.#socket.write(bytes);
  }

  /** Ends it with a close frame. */
  close() {
    this.ended ??= 'closed by us';
    this.#socket.end(frame(OPCODE.close, Buffer.from([0x03, 0xe8])));
    this.#socket.once('end', () => this.#socket.destroy());
  }

  /** Ends it with a reset. */
  reset() {
    this.ended ??= 'reset by us';
    this.#socket.resetAndDestroy();
  }

  #read(bytes) {
    if (this.ended !== undefined) return;
    let start = 0;
    if (!this.#open) {
      const before = this.#head.length;
      this.#head += bytes.latin1Slice();
      const end = this.#head.indexOf(HEAD_END);
      if (end < 0) return;
      if (!this.#head.startsWith('HTTP/1.1 101'))
        return this.#end(`refused: ${this.#head.slice(0, this.#head.indexOf('\r\n'))}`);
      this.#open = true;
      start = end + HEAD_END.length - before;
    }
    if (start < bytes.length) this.#reader.read(bytes, start, bytes.length);
  }

  #end(why) {
    if (this.ended !== undefined) return;
    this.ended = why;
    this.#socket.destroy();
    this.#onEnd(why);
  }
}

function view(bytes, start, length) {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, length);
}
