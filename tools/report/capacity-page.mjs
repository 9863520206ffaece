/** Writes the generated parts of docs/capacity.md, and the figure of docs/performance.md. */
import { checksOf, publishPoints } from '../bench/capacity/checks.mjs';
import { constantsOf } from '../bench/capacity/constants.mjs';
import { rounded } from '../bench/capacity/summary.mjs';
import { outputOf } from '../plan/run.mjs';
import { linePlot } from './plot.mjs';
import { table } from './tables.mjs';

/** The action or thing of each cost, and its unit: without one, microseconds of processor time. */
const MEANINGS = {
  redis: {
    turn: ['a turn'],
    source: ['a connection that publishes in a turn: read and answer'],
    publish: ['a message without history'],
    append: ['a message with a history, with AOF'],
    delivery: ['a message to one edge'],
    deliveryKilobyte: ['each kilobyte of a message to one edge'],
    write: ['an edge or a replica that gets anything in a turn'],
    idle: ['an edge without messages: probe and lease', 'µs/s'],
    join: ['a join, in the registry'],
    deliveryBytes: ['a message to one edge, beyond its own bytes', 'bytes'],
    publishReplicatedBytes: ['a message to a replica, beyond its own bytes', 'bytes'],
    appendReplicatedBytes: ['a message with a history to a replica, beyond its own bytes', 'bytes'],
    historyBytes: ['a room with a history', 'bytes'],
    messageBytes: ['a message of a history, beyond its own bytes', 'bytes'],
    perMessageByte: ['each byte of a message of a history', 'bytes'],
    keyBytes: ['the key of a message with a `message_id`, for 300 s', 'bytes'],
    channelBytes: ['a room with a member on one edge', 'bytes'],
    subscriptionBytes: ['each further edge with a member', 'bytes'],
    connectionBytes: ['a connection', 'bytes'],
    sessionBytes: ['a session in a room, in the registry', 'bytes'],
  },
  edge: {
    turn: ['a turn'],
    envelope: ['a message from Redis'],
    historyEnvelope: ['the same of a room with a history, in addition'],
    delivery: ['a message to one member'],
    send: ['a message of a client, with its ack'],
    ping: ['a ping of a client'],
    join: ['a connection with its join'],
    openRoom: ['the first member of a room there'],
    openHistory: ['the same of a room with a history, in addition'],
    notice: ['`user_joined` to one member'],
    idle: ['an edge without messages', 'µs/s'],
    deliveryBytes: ['a frame to a member, beyond the bytes of its message', 'bytes'],
    emptyBytes: ['an edge without sessions', 'bytes'],
    sessionBytes: ['a session', 'bytes'],
    userBytes: ['a user', 'bytes'],
    roomBytes: ['a room', 'bytes'],
    historyRoomBytes: ['a room with a history, in addition', 'bytes'],
  },
  presence: {
    join: ['a join'],
    emptyBytes: ['an instance without sessions', 'bytes'],
    sessionBytes: ['a session in a room', 'bytes'],
  },
  kernel: { socketBytes: ['an idle socket, without its buffers', 'bytes'] },
};

/** Arguments of the worked examples. */
const EXAMPLES = [
  '--sessions 1000000 --rate 50000',
  '--sessions 10000000 --rate 200000 --history 100',
  '--sessions 10000000 --rooms 10000 --rate 2000 --from-services',
];

/** @param {import('./results.mjs').Run} run of the capacity benchmark @returns {Record<string, string>} Markdown of each part */
export function capacityParts(run) {
  return {
    Constants: constantsTable(run),
    Checks: checksTable(run),
    Examples: EXAMPLES.map(args => example(args, run)).join('\n\n'),
  };
}

function constantsTable(run) {
  const rows = Object.entries(constantsOf(run)).flatMap(([part, constants]) =>
    Object.entries(constants).map(([name, value]) => {
      const [meaning, unit = 'µs'] = MEANINGS[part][name];
      return [part, `\`${name}\``, meaning, `${rounded(value)} ${unit}`];
    }),
  );
  const { processor, node, redis, commit } = run.machine;
  const load = `Load average of the machine: ${rounded(run.loadAverage)}.`;
  const source = `\`${run.command}\`, ${run.date}; ${processor}; Node ${node}; ${redis}; ${commit}. Raw samples: [capacity.json](../tools/results/capacity.json). ${load}`;
  return `${table(['part', 'constant', 'what', 'cost'], rows)}\n\n${source}`;
}

function checksTable(run) {
  return table(
    ['resource', 'set-up', 'predicted', 'measured', 'error'],
    checksOf(run).map(({ resource, setup, unit, predicted, measured }) => [
      resource,
      setup,
      `${rounded(predicted)} ${unit}`,
      `${rounded(measured)} ${unit}`,
      `${Math.round((predicted / measured - 1) * 100)} %`,
    ]),
  );
}

function example(args, run) {
  return ['```sh', `npm run plan -- ${args}`, '```', '', '```text', outputOf(args.split(' '), run), '```'].join('\n');
}

/** @param {import('./results.mjs').Run} run @returns {string} SVG */
export function publishFigure(run) {
  const points = publishPoints(run);
  const lines = [...new Set(points.map(({ topology }) => topology))].map(name => {
    const own = points.filter(({ topology }) => topology === name);
    return {
      name,
      points: own.map(({ width, micros }) => [width, micros]),
      samples: own.flatMap(({ width, samples }) => samples.map(micros => [width, micros])),
    };
  });
  const predicted = new Map(points.map(point => [point.width, point.predicted]));
  return linePlot({
    title: 'Processor time of Redis per message',
    x: 'edges with a member of the room, of 8 edges',
    y: 'µs, all servers together',
    lines: [...lines, { name: 'model', points: [...predicted], isModel: true }],
  });
}
