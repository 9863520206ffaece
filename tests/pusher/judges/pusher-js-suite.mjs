/**
 * Runs the integration suite of pusher-js, unchanged, on Node, and prints a line for each case. Its working directory has
 * the packages of `package.json`.
 */
import dns from 'node:dns';
import { readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(join(process.cwd(), 'package.json'));
const { build } = require('esbuild');
const root = `${dirname(require.resolve('pusher-js/package.json'))}/`;
const { PUSHER_WS_PORT = '', PUSHER_AUTH_URL = '' } = process.env;
const suite = join(process.cwd(), `suite-${process.pid}.cjs`);

/** Sources of the suite with the port of the edge and the address of the back end in place of Pusher's. */
const REPLACED = [
  [/core\/defaults\.ts$/, 'wsPort: 80', `wsPort: ${Number(PUSHER_WS_PORT)}`],
  [/helpers\/node\/integration\.js$/, 'http://localhost:3000', PUSHER_AUTH_URL],
];

await build({
  stdin: {
    contents: `require('${root}spec/javascripts/integration/core/pusher_spec/index.js')([{ transport: 'ws', forceTLS: false }]);`,
    resolveDir: root,
  },
  bundle: true,
  platform: 'node',
  format: 'cjs',
  outfile: suite,
  logLevel: 'error',
  resolveExtensions: ['.ts', '.js'],
  nodePaths: [`${root}src`, `${root}src/runtimes`, `${root}src/runtimes/node`, `${root}spec/javascripts/helpers/node`],
  alias: { pusher_integration: `${root}spec/javascripts/helpers/pusher_integration.js` },
  define: { VERSION: '"8.6.0"', CDN_HTTP: '""', CDN_HTTPS: '""', DEPENDENCY_SUFFIX: '""', RUNTIME: '"node"' },
  tsconfigRaw: '{}',
  plugins: [
    {
      name: 'hosts',
      setup({ onResolve, onLoad }) {
        onResolve({ filter: /^@stablelib\// }, () => ({ path: 'unused', namespace: 'unused' }));
        onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: 'export const decode = undefined;' }));
        // Beside it is a module of the same name for CommonJS.
        onResolve({ filter: /(core|^\.|\.\.)\/pusher$/ }, () => ({ path: `${root}src/core/pusher.ts` }));
        onResolve({ filter: /^testenv$/ }, () => ({ path: 'testenv', namespace: 'testenv' }));
        onLoad({ filter: /.*/, namespace: 'testenv' }, () => ({ contents: "module.exports = 'node';" }));
        // Of browsers, and of encrypted channels: the suite uses neither.
        onResolve({ filter: /^(dom\/|@stablelib\/)/ }, () => ({ path: 'unused', namespace: 'unused' }));
        onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: 'export const decode = undefined;' }));
        for (const [filter, from, to] of REPLACED) {
          onLoad({ filter }, async ({ path }) => {
            const text = await readFile(path, 'utf8');
            if (!text.includes(from)) throw new Error(`${path} lacks ${from}`);
            return { contents: text.replace(from, to), loader: path.endsWith('.ts') ? 'ts' : 'js' };
          });
        }
      },
    },
  ],
});

// The suite connects to hosts of Pusher by name.
const { lookup } = dns;
dns.lookup = (host, options, callback) => lookup(host.endsWith('.pusher.com') ? '127.0.0.1' : host, options, callback);

const jasmineCore = require('jasmine-core');
jasmineCore.boot();
const env = jasmine.getEnv();
env.configure({ random: false });
env.addReporter({
  specDone({ fullName, status, failedExpectations }) {
    console.log(`${status}: ${fullName}`);
    for (const { message } of failedExpectations) console.log(`  ${message}`);
  },
});
require(suite);
await rm(suite);
const { overallStatus } = await env.execute();
process.exit(overallStatus === 'passed' ? 0 : 1);
