/** Hubbub with a feature turned on or off, beside itself: what an operator pays for seeing and steering. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { eventually, MAIN, ManagedProcess, spawnChild, startHubbub } from '@hubbub/tools/kit';
import { RELAYS } from './catalogue.mjs';
import { configFile } from './config-file.mjs';
import { settingsOf, startEdge } from './start.mjs';

const API_KEY = 'a-key-of-the-benchmark-of-32-bytes-and-more';
const WEBHOOK_SECRET = `whsec_${Buffer.from('a secret of the benchmark, 32 bytes').toString('base64')}`;

/** An HTTP server of this process that accepts everything: a collector, or a receiver of webhooks. */
async function startSink() {
  const sink = { requests: 0, bytes: 0 };
  const server = createServer((request, response) => {
    sink.requests++;
    request.on('data', chunk => (sink.bytes += chunk.length));
    request.on('end', () => response.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(sink, {
    url: `http://127.0.0.1:${server.address().port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  });
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** @param {string} title @param {NodeJS.ProcessEnv} env @returns {import('./catalogue.mjs').Relay} */
function variant(title, env) {
  return { ...RELAYS.hubbub, title, start: start => startEdge({ ...start, env: { ...start.env, ...env } }) };
}

/** @param {string} title @param {string} ratio of the messages that are traced @returns {import('./catalogue.mjs').Relay} */
function traced(title, ratio) {
  return {
    ...RELAYS.hubbub,
    title,
    async start(start) {
      const collector = await startSink();
      const tracing = { HUBBUB_OTLP_URL: collector.url, HUBBUB_TRACE_RATIO: ratio };
      const edge = await startEdge({ ...start, env: { ...start.env, ...tracing } });
      return {
        ...edge,
        async close() {
          await edge.close();
          collector.close();
          if (Number(ratio) > 0 && collector.bytes === 0) throw new Error(`${title}: the collector got no spans`);
        },
      };
    },
  };
}

export const TRACING = {
  off: variant('defaults: explain on, tracing off', {}),
  'off-again': variant('the same again, as a control', {}),
  'no-explain': variant('explain off, too', { HUBBUB_EXPLAIN_MAX_ENTRIES: '0' }),
  'traced-1': traced('1 % of the messages traced', '0.01'),
  'traced-100': traced('every message traced', '1'),
};

/** Client events wait in their log, or a process sends them to a receiver. */
const EVENTS = { namespaces: { default: { public: true, events: ['move'] } } };

async function startWebhooks({ redisUrl, helperCpus }) {
  const receiver = await startSink();
  const webhooks = { bench: { url: receiver.url, events: ['move'], secrets: [WEBHOOK_SECRET] } };
  const env = settingsOf(redisUrl, { HUBBUB_CONFIG: configFile({ ...EVENTS, webhooks }) });
  const sender = await startHubbub(['webhooks'], { cpus: helperCpus, env });
  return {
    pid: sender.pid,
    async close() {
      await sender.terminate();
      receiver.close();
      if (receiver.requests === 0) throw new Error('webhooks: the receiver got no request');
    },
  };
}

function withEvents(title, hasWebhooks) {
  return {
    ...RELAYS.hubbub,
    title,
    dialect: 'hubbub-events',
    async start(start) {
      const edge = await startEdge({ ...start, env: { ...start.env, HUBBUB_CONFIG: configFile(EVENTS) } });
      const webhooks = hasWebhooks ? await startWebhooks(start) : undefined;
      return {
        ...edge,
        helpers: webhooks === undefined ? [] : [webhooks.pid],
        async close() {
          await edge.close();
          await webhooks?.close();
        },
      };
    },
  };
}

export const WEBHOOKS = {
  'events-wait': withEvents('client events wait in their log', false),
  webhooks: withEvents('a process sends them to a receiver, as signed requests', true),
};

/** @param {string} title @param {object} content of the configuration file @param {NodeJS.ProcessEnv} env */
function api(title, content, env) {
  return {
    title,
    /** @param {import('./catalogue.mjs').RelayStart} start */
    async start({ redisUrl, cpus, nodeArgs }) {
      const collector = await startSink();
      const settings = { HUBBUB_CONFIG: configFile(content) };
      const tracing = env.HUBBUB_TRACE_RATIO === undefined ? {} : { HUBBUB_OTLP_URL: collector.url };
      const port = await freePort();
      const command = [process.execPath, ...nodeArgs, MAIN, 'api'];
      const all = settingsOf(redisUrl, { ...settings, HUBBUB_API_PORT: String(port), ...env, ...tracing });
      const api = new ManagedProcess(
        'api',
        spawnChild(command, { name: 'api', cpus, env: { ...process.env, ...all } }),
      );
      const url = `http://127.0.0.1:${port}`;
      // Without the audit log there is no line that it listens, either.
      await api.orExit(eventually(async () => (await fetch(`${url}/openapi.json`)).ok, { withinMs: 30_000 }));
      return {
        ...{ url, key: API_KEY, pid: api.pid },
        async close() {
          await api.terminate();
          collector.close();
          if (Number(env.HUBBUB_TRACE_RATIO) > 0 && collector.bytes === 0) throw new Error(`${title}: no spans`);
        },
      };
    },
  };
}

const PLAIN_KEY = { apiKeys: [API_KEY] };
const SCOPED_KEY = {
  apiKeys: [
    {
      name: 'bench',
      key: API_KEY,
      operations: ['publish', 'read'],
      namespaces: ['default'],
      maxRequestsPerSecond: 100_000,
    },
  ],
};
const WITHOUT_AUDIT = { HUBBUB_LOG_LEVEL: 'warn' };

export const API = {
  plain: api('a key with every right, no audit log', PLAIN_KEY, WITHOUT_AUDIT),
  'plain-again': api('the same again, as a control', PLAIN_KEY, WITHOUT_AUDIT),
  scoped: api('a key with a name, operations, namespaces and a rate', SCOPED_KEY, WITHOUT_AUDIT),
  audited: api('the same with the audit log', SCOPED_KEY, {}),
  'traced-1': api('1 % of the requests traced', PLAIN_KEY, { ...WITHOUT_AUDIT, HUBBUB_TRACE_RATIO: '0.01' }),
  'traced-100': api('every request traced', PLAIN_KEY, { ...WITHOUT_AUDIT, HUBBUB_TRACE_RATIO: '1' }),
};
