/** The connections of the port: whom an error belongs to, and what a process that stops need not wait for. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export class OpenConnections {
  readonly #sockets = new Set<Socket>();
  /** The last request of each connection. */
  readonly #last = new WeakMap<Socket, Exchange>();

  watch(server: Server): void {
    server.on('connection', socket => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  /** A request has come, though perhaps not all of its body. */
  began(request: IncomingMessage, response: ServerResponse): void {
    this.#last.set(request.socket, { request, response });
  }

  /**
   * Whether an error can be answered on this connection. In the middle of an answer, or before a request has ended, the client
   * would take it for something else.
   */
  canAnswer(socket: Socket): boolean {
    const last = this.#last.get(socket);
    if (last === undefined) return true;
    const { request, response } = last;
    return request.complete ? response.writableFinished : !response.headersSent;
  }

  /** Ends those on which no whole request waits for its answer. */
  endIncomplete(): void {
    for (const socket of this.#sockets) {
      const last = this.#last.get(socket);
      const isWaiting = last?.request.complete === true && !last.response.writableFinished;
      if (!isWaiting) socket.destroy();
    }
  }
}
