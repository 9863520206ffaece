/** A table that becomes a list of cards on phones: each cell names its column. */
import type { ComponentChildren } from 'preact';

interface TableProps {
  readonly label: string;
  readonly columns: readonly string[];
  readonly rows: ReadonlyArray<{ readonly key: string; readonly cells: readonly ComponentChildren[] }>;
  /** In place of a table without rows. */
  readonly empty: string;
  readonly testId: string;
}

export function Table({ label, columns, rows, empty, testId }: TableProps) {
  if (rows.length === 0) return <p class="empty">{empty}</p>;
  return (
    <table aria-label={label} data-testid={testId}>
      <thead>
        <tr>
          {columns.map(column => (
            <th key={column} scope="col">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ key, cells }) => (
          <tr key={key} data-testid={`${testId}-row`} data-key={key}>
            {cells.map((cell, at) => (
              <td key={columns[at]} data-label={columns[at]}>
                {cell}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
