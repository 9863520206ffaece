/** The connections of the port: which request an error belongs to, and which connections a shutdown need not wait for. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpServer } from '@hubbub/runtime/http';

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export class OpenConnections {
  readonly #sockets = new Set<Socket>();
  /** The last request of each connection. */
  readonly #last = new WeakMap<Socket, Exchange>();

  /** @param requestTimeoutMs the time in which a shutdown waits for requests that have not arrived completely */
  watch(server: HttpServer, requestTimeoutMs: number): void {
    let isLeaving = false;
    server.server.on('connection', socket => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.addHook('onRequest', async ({ raw: request }, { raw: response }) => {
      this.#last.set(request.socket, { request, response });
    });
    server.addHook('onSend', async (_request, reply) => {
      if (isLeaving) reply.header('connection', 'close');
    });
    server.addHook('preClose', async () => {
      isLeaving = true;
      // Node does not check the request timeout of a closing server.
      const timer = setTimeout(() => this.#endIncomplete(), requestTimeoutMs);
      server.server.once('close', () => clearTimeout(timer));
    });
  }

  /**
   * Whether an error can be answered on the connection. In the middle of an answer, or after the answer to a request that
   * is still arriving, the client would take it for something else.
   */
  canAnswer(socket: Socket): boolean {
    const last = this.#last.get(socket);
    if (last === undefined) return true;
    const { request, response } = last;
    return request.complete ? response.writableFinished : !response.headersSent;
  }

  /** Ends the connections on which no complete request waits for its answer. */
  #endIncomplete(): void {
    for (const socket of this.#sockets) {
      const last = this.#last.get(socket);
      const isWaiting = last?.request.complete === true && !last.response.writableFinished;
      if (!isWaiting) socket.destroy();
    }
  }
}
