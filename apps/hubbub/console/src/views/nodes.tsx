/** The edges with their load, asked again every few seconds. */
import { Loaded, useResource } from '../resource.js';
import { Table } from './table.js';

interface Node {
  readonly node: string;
  readonly state: 'answered' | 'busy' | 'no_answer';
  readonly since?: string;
  readonly load?: {
    readonly sessions: number;
    readonly rooms: number;
    readonly subscriptions: number;
    readonly loop_utilization: number;
    readonly shed_share: number;
    readonly resident_bytes: number;
    readonly state: string;
    readonly ready: boolean;
  };
}

const EVERY_MS = 5000;
const COLUMNS = ['Edge', 'State', 'Sessions', 'Rooms', 'Busy', 'Refuses', 'Memory', 'Since'];

export function NodesView() {
  const nodes = useResource<{ nodes: readonly Node[] }>('/nodes', EVERY_MS);
  const online = useResource<{ online: number }>('/online', EVERY_MS);
  return (
    <>
      <p class="hint">
        Users online: <span data-testid="online">{online.answer?.online ?? '…'}</span>
      </p>
      <Loaded resource={nodes}>
        {({ nodes: list }) => (
          <Table
            testId="nodes"
            label="Edges"
            columns={COLUMNS}
            empty="No edge is running."
            rows={list.map(node => ({ key: node.node, cells: cellsOf(node) }))}
          />
        )}
      </Loaded>
    </>
  );
}

function cellsOf({ node, state, since, load }: Node) {
  const start = since === undefined ? '' : new Date(since).toLocaleString();
  if (load === undefined) {
    const words = state === 'busy' ? 'is asked too often' : 'does not answer';
    return [node, <State key="state" isGood={false} words={words} />, '', '', '', '', '', start];
  }
  const isGood = load.ready && load.state === 'serving';
  return [
    node,
    <State
      key="state"
      isGood={isGood}
      words={isGood ? 'serving' : load.state === 'serving' ? 'not ready' : load.state}
    />,
    load.sessions.toLocaleString(),
    load.rooms.toLocaleString(),
    percent(load.loop_utilization),
    percent(load.shed_share),
    `${Math.round(load.resident_bytes / 1_048_576).toLocaleString()} MiB`,
    start,
  ];
}

function State({ isGood, words }: { readonly isGood: boolean; readonly words: string }) {
  return <span class={isGood ? 'good' : 'bad'}>{words}</span>;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
