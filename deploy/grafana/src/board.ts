/** A dashboard of Hubbub: variables, links to the others, and rows of panels. */
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Panel } from './panels.js';

export interface BoardVariable {
  readonly name: string;
  readonly label: string;
  /** A metric that has the label, and the label whose values are offered. */
  readonly metric: string;
  readonly values: string;
  /** Whether several, and all, can be chosen. Expressions then match with `=~`. */
  readonly several: boolean;
}

export interface BoardOptions {
  /** `hubbub-<name>`, and the name of the file. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly BoardVariable[];
  readonly rows: readonly BoardRow[];
}

export interface BoardRow {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Board {
  readonly name: string;
  readonly dashboard: Dashboard;
}

/** Numbers the panels here, so that a link to a panel stays valid unless another panel is inserted before it. */
export function board({ name, title, description, variables, rows }: BoardOptions): Board {
  const builder = new DashboardBuilder(title)
    .uid(`hubbub-${name}`)
    .description(description)
    .tags(['hubbub'])
    .editable()
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: 'now-1h', to: 'now' })
    .refresh('10s')
    .timezone('browser')
    .link(
      new DashboardLinkBuilder('Hubbub')
        .type(DashboardLinkType.Dashboards)
        .tags(['hubbub'])
        .asDropdown(true)
        .keepTime(true)
        .includeVars(true),
    )
    .withVariable(
      new DatasourceVariableBuilder('datasource')
        .label('Data source')
        .description('The Prometheus that scrapes the cluster.')
        .type('prometheus'),
    );
  for (const variable of variables) builder.withVariable(variableOf(variable));
  let id = 0;
  for (const { title: rowTitle, panels } of rows) {
    builder.withRow(new RowBuilder(rowTitle).id(++id));
    for (const panel of panels) builder.withPanel(panel.id(++id));
  }
  return { name, dashboard: builder.build() };
}

function variableOf({ name, label, metric, values, several }: BoardVariable): QueryVariableBuilder {
  const variable = new QueryVariableBuilder(name)
    .label(label)
    .datasource({ type: 'prometheus', uid: '$datasource' })
    .query({ query: `label_values(${metric}, ${values})`, refId: name })
    .definition(`label_values(${metric}, ${values})`)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc);
  if (!several) return variable;
  return variable.multi(true).includeAll(true).allValue('.+').current({ selected: true, text: 'All', value: '$__all' });
}
