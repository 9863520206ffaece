/** An authorizer of a story: a real HTTP server that remembers what it was asked and answers as the story wants. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cleanup } from '../support/cleanup.js';

export interface AskedQuestion {
  readonly action: string;
  readonly user: { readonly id: string; readonly name: string };
  readonly room?: string;
  readonly payload?: Record<string, unknown>;
  readonly [field: string]: unknown;
}

/** Answers a question; may wait, write nonsense, or never end. */
export type Answerer = (question: AskedQuestion, response: ServerResponse) => unknown;

export interface AuthorizerDouble {
  readonly url: string;
  /** Every question, in the order in which they came. */
  readonly questions: AskedQuestion[];
  readonly headers: IncomingMessage['headers'][];
  answer: Answerer;
  /** Those about this user. */
  askedOf(user: string): AskedQuestion[];
  /** Stops listening, and cuts open connections. */
  halt(): Promise<void>;
  /** Listens again on the same port. */
  restart(): Promise<void>;
}

export function says(response: ServerResponse, answer: object): void {
  response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
}

/** Allows everything by default. */
export async function startAuthorizer(): Promise<AuthorizerDouble> {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const question = JSON.parse(body) as AskedQuestion;
    double.questions.push(question);
    double.headers.push(request.headers);
    await double.answer(question, response);
  });
  const listen = (port: number) => new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const double: AuthorizerDouble = {
    url: `http://127.0.0.1:${port}/authorize`,
    questions: [],
    headers: [],
    answer: (_, response) => says(response, { allow: true }),
    askedOf: user => double.questions.filter(question => question.user.id === user),
    halt: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
    restart: () => listen(port),
  };
  cleanup(() => {
    server.close();
    server.closeAllConnections();
  });
  return double;
}
