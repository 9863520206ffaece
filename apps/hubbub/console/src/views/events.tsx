/** Client events that wait for services, and those that a group gave up. */
import { Action } from '../actions.js';
import { pathOf, type Session } from '../api.js';
import { Loaded, useResource } from '../resource.js';
import { hrefOf } from '../route.js';
import { Table } from './table.js';

interface Backlogs {
  readonly namespaces: ReadonlyArray<{
    readonly namespace: string;
    readonly length: number;
    readonly groups: ReadonlyArray<{ readonly group: string; readonly waiting: number }>;
  }>;
}

const EVERY_MS = 5000;

export function EventsView() {
  const backlogs = useResource<Backlogs>('/events', EVERY_MS);
  return (
    <Loaded resource={backlogs}>
      {({ namespaces }) => (
        <Table
          testId="events"
          label="Events that wait"
          columns={['Namespace', 'In the log', 'Group', 'Waiting', 'Dead letters']}
          empty="No namespace has client events."
          rows={namespaces.flatMap(({ namespace, length, groups }) =>
            (groups.length === 0 ? [undefined] : groups).map(group => ({
              key: `${namespace} ${group?.group}`,
              cells: [
                namespace,
                length.toLocaleString(),
                group?.group ?? 'no group',
                group?.waiting.toLocaleString() ?? '',
                group && (
                  <a key="letters" href={hrefOf('events', namespace, group.group)}>
                    Show
                  </a>
                ),
              ],
            })),
          )}
        />
      )}
    </Loaded>
  );
}

interface Letters {
  readonly dead_letters: ReadonlyArray<{
    readonly letter_id: string;
    readonly type?: string;
    readonly room?: string;
    readonly user_id?: string;
    readonly attempts: number;
    readonly reason: string;
    readonly at: string;
  }>;
}

interface LettersProps {
  readonly namespace: string;
  readonly group: string;
  readonly session: Session;
}

export function LettersView({ namespace, group, session }: LettersProps) {
  const path = `${pathOf('events', namespace, group)}/dead_letters`;
  const letters = useResource<Letters>(path);
  return (
    <>
      <button type="button" class="quiet small" data-testid="reload" onClick={letters.reload}>
        Load again
      </button>
      <Loaded resource={letters}>
        {({ dead_letters }) => (
          <Table
            testId="letters"
            label="Dead letters"
            columns={['Time', 'Event', 'Room', 'User', 'Attempts', 'Reason', 'Action']}
            empty="This group has given no event up."
            rows={dead_letters.map(({ letter_id, type, room, user_id, attempts, reason, at }) => ({
              key: letter_id,
              cells: [
                new Date(at).toLocaleString(),
                type ?? 'malformed',
                room ?? '',
                user_id ?? '',
                String(attempts),
                reason,
                type !== undefined && (
                  <Action
                    key="replay"
                    session={session}
                    operation="dead_letters"
                    label="Replay"
                    testId="replay"
                    effect={`Gives the event ${type} to ${group} again, after the events that wait. Other groups do not get it.`}
                    path={`${path}/${encodeURIComponent(letter_id)}/replay`}
                    done={letters.reload}
                  />
                ),
              ],
            }))}
          />
        )}
      </Loaded>
    </>
  );
}
