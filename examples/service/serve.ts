/** Runs the service of an example: HTTP, the page, the connection to the hub. */
import { rm } from 'node:fs/promises';
import fastifyStatic from '@fastify/static';
import { connectHubbub, createTokenMint, type Hubbub } from '@hubbub/server';
import fastify, { type FastifyInstance } from 'fastify';
import { ZodError } from 'zod';
import { MemoryDocuments } from '../state/documents.js';
import { RedisDocuments } from '../state/redis/redis-documents.js';
import type { Example } from './example.js';
import { addressesFor, networkHost } from './network.js';
import { bundlePage, pageFolder } from './page-bundle.js';
import type { ExampleSettings } from './settings.js';

export interface RunningService {
  readonly url: string;
  close(): Promise<void>;
}

/** @param embedded the hub of this process; not given: the one on `settings.redisUrl` */
export async function serve(example: Example, settings: ExampleSettings, embedded?: Hubbub): Promise<RunningService> {
  const hubbub = embedded ?? connect(settings);
  const documents =
    settings.redisUrl === undefined
      ? new MemoryDocuments(example.stateTtlMs)
      : new RedisDocuments({
          url: settings.redisUrl,
          prefix: `${settings.redisPrefix}-example:${example.name}`,
          ttlMs: example.stateTtlMs,
        });
  const http = fastify({ bodyLimit: 65_536, forceCloseConnections: true });
  answerErrors(http);
  const host = networkHost(settings.host);
  http.get('/config.json', request => ({ title: example.title, ...addressesFor(request, settings.edges, host) }));
  http.get('/healthz', () => ({ status: 'alive' }));
  await bundlePage(example);
  await http.register(fastifyStatic, { root: pageFolder(example) });
  const mint = createTokenMint({ key: settings.jwtSecret });
  const stops: (() => void | Promise<void>)[] = [];
  const onClose = (stop: () => void | Promise<void>): void => void stops.push(stop);
  const { timeMs, allowedOrigins, redisUrl, othersPrefix } = settings;
  const redis = redisUrl === undefined ? {} : { redis: { url: redisUrl, prefix: othersPrefix } };
  await example.start({ hubbub, mint, documents, http, onClose, timeMs, allowedOrigins, ...redis });
  const url = await http.listen({ host: settings.host, port: settings.port });
  return {
    url,
    async close() {
      await Promise.all(stops.map(stop => stop()));
      await http.close();
      if (embedded === undefined) await hubbub.close();
      documents.close();
      await rm(pageFolder(example), { recursive: true, force: true });
    },
  };
}

function connect(settings: ExampleSettings): Hubbub {
  const { redisUrl, redisPrefix, presenceUrl: url, presenceApiKey: apiKey } = settings;
  if (redisUrl === undefined) throw new Error('HUBBUB_REDIS_URL: required by a service that is a process of its own');
  const presence = url === undefined || apiKey === undefined ? {} : { presence: { url, apiKey } };
  return connectHubbub({ redisUrl, redisPrefix, ...presence });
}

/** Answers a wrong body with 400 and the text that clients of the five systems know. */
function answerErrors(http: FastifyInstance): void {
  http.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const isWrongBody = error instanceof ZodError || error.statusCode === 415; // Of a type that the service does not read.
    const status = isWrongBody ? 400 : (error.statusCode ?? 500);
    if (status >= 500) process.stderr.write(`${error.stack ?? error.message}\n`);
    void reply.code(status).send({ error: status === 400 ? 'incorrect request' : error.message });
  });
  http.setNotFoundHandler((_request, reply) => void reply.code(404).send({ error: 'not found' }));
}
