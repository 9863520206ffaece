/** The command line of `npm run k6`. */
import { parseArgs } from 'node:util';
import { PLANS } from './scenarios.mjs';

const WIDTH = Math.max(...Object.keys(PLANS).map(name => name.length));
const WHOLE_NUMBER = /^\d{1,9}$/;

export const USAGE = `npm run k6 -- <scenario> [options]

${Object.entries(PLANS)
  .map(([name, { description }]) => `  ${name.padEnd(WIDTH)}  ${description}`)
  .join('\n')}
  ${'bundle'.padEnd(WIDTH)}  writes k6/dist/<scenario>.js, one file each, for k6 elsewhere (Kubernetes)

  --url ws://host:port   a cluster that is there (repeat for several edges); else one is started. Its secret: LOAD_JWT_SECRET
  --edges n              of the cluster that is started
  --connections n        ramp: sockets of all processes together (default 1000)
  --processes n          ramp: k6 processes that share them (default: 15,000 sockets each)
  --prometheus url       remote write, for example http://127.0.0.1:9090/api/v1/write
  --record               saves the run in bench/results, shown in docs/performance.md
  and numbers of the scenario, such as --talk-s 60 --rate 10; k6/README.md has them all`;

/** @param {readonly string[]} args @throws {Error} with what would be right */
export function readOptions(args) {
  const [scenario, ...rest] = args.filter(argument => argument !== '--');
  if (scenario === undefined || scenario === '--help' || scenario === 'help') return { help: true };
  if (scenario === 'bundle') return { bundle: true };
  if (!Object.hasOwn(PLANS, scenario)) {
    throw new Error(`there is no scenario "${scenario}"; there are ${Object.keys(PLANS).join(', ')}.`);
  }
  const plan = PLANS[scenario];
  const numbers = ['edges', 'connections', 'processes', ...plan.settings];
  const { values } = parseArgs({
    args: rest,
    options: {
      help: { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
      url: { type: 'string', multiple: true, default: [] },
      prometheus: { type: 'string' },
      ...Object.fromEntries(numbers.map(name => [name, { type: 'string' }])),
    },
  });
  if (values.help) return { help: true };
  for (const url of values.url) {
    if (!/^wss?:\/\/[^/]+/.test(url)) throw new Error(`--url: expected ws://host:port, got "${url}".`);
  }
  const number = name => {
    if (values[name] === undefined) return undefined;
    if (!WHOLE_NUMBER.test(values[name])) throw new Error(`--${name}: expected a whole number, got "${values[name]}".`);
    return Number(values[name]);
  };
  const set = plan.settings.filter(name => values[name] !== undefined);
  return {
    scenario,
    plan,
    urls: values.url,
    record: values.record,
    prometheusUrl: values.prometheus,
    edges: number('edges'),
    connections: number('connections'),
    processes: number('processes'),
    settings: Object.fromEntries(set.map(name => [name, number(name)])),
  };
}
