/** One connection for a subscriber: commands out, replies in, whether they answer a command or not. */
import type { Socket } from 'node:net';
import RedisParser from 'redis-parser';
import type { RedisServer } from './redis-server.js';

const CONNECT_TIMEOUT_MS = 2000;

export type Reply = Buffer | number | null | Error | Reply[];

export interface RespListener {
  onReply(reply: Reply): void;
  /** The connection ended, once; without a cause where either side closed it. */
  onEnd(cause?: Error): void;
}

interface Question {
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

/**
 * ioredis takes a `sunsubscribe` that Redis sends by itself, when a slot moves, for the answer to another command
 * (observed with 5.11.1). Here each reply goes to the listener, which compares channel names.
 */
export class RespSocket {
  readonly #socket: Socket;
  readonly #listener: RespListener;
  #questions: Question[] = [];
  #ended = false;

  private constructor(socket: Socket, listener: RespListener) {
    this.#socket = socket;
    this.#listener = listener;
    const parser = new RedisParser({
      returnBuffers: true,
      returnReply: (reply: Reply) => this.#take(reply),
      returnError: error => this.#take(error),
      returnFatalError: error => this.#end(error),
    });
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => parser.execute(chunk));
    socket.on('error', error => this.#end(error));
    socket.on('close', () => this.#end());
  }

  /** Connects and logs in. @throws the refusal, or a timeout */
  static async open(server: RedisServer, listener: RespListener): Promise<RespSocket> {
    const socket = new RespSocket(await server.connect(), listener);
    const timer = setTimeout(() => socket.end(new Error('connect ETIMEDOUT')), CONNECT_TIMEOUT_MS);
    try {
      const { username, password } = server;
      // Redis answers once it is connected: commands wait in the socket until then.
      if (password !== undefined) await socket.ask('AUTH', ...(username === undefined ? [] : [username]), password);
      await socket.ask('PING');
      return socket;
    } catch (error) {
      socket.end(error as Error);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** For commands before the first subscription: their replies come in order. */
  ask(...command: readonly string[]): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(new Error('Connection is closed.'));
      this.#questions.push({ resolve, reject });
      this.send(command);
    });
  }

  send(command: readonly string[]): void {
    const parts = command.map(part => `$${Buffer.byteLength(part)}\r\n${part}\r\n`);
    this.#socket.write(`*${command.length}\r\n${parts.join('')}`);
  }

  end(cause?: Error): void {
    this.#end(cause);
  }

  #take(reply: Reply): void {
    const question = this.#questions.shift();
    if (question === undefined) this.#listener.onReply(reply);
    else if (reply instanceof Error) question.reject(reply);
    else question.resolve(reply);
  }

  #end(cause?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket.destroy();
    for (const { reject } of this.#questions) reject(cause ?? new Error('Connection is closed.'));
    this.#questions = [];
    this.#listener.onEnd(cause);
  }
}
