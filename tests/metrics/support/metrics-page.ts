/** Reads docs/metrics.md: the description of each metric. */
import { readFileSync } from 'node:fs';
import { MarkdownPage } from '../../support/markdown-tables.js';

/** The sections that have a table of metrics, and the process of each. */
export const SECTIONS = [
  'Every process',
  'Every process on Redis',
  'Every process with traces',
  'Edge, HTTP API and webhooks on Redis',
  'Edge',
  'Workers of an edge',
  'Presence',
  'Redis',
  'HTTP API',
  'Webhooks',
] as const;
export type Section = (typeof SECTIONS)[number];

export interface DocumentedMetric {
  readonly section: Section;
  readonly name: string;
  readonly type: string;
  readonly unit: string;
  readonly meaning: string;
  readonly labels: ReadonlyMap<string, DocumentedValues>;
}

export interface DocumentedValues {
  /** Values that are present from the start. */
  readonly values: ReadonlySet<string>;
  /** Whether `…` follows the values or replaces them: there may be others. */
  readonly open: boolean;
}

export function readMetricsPage(): DocumentedMetric[] {
  const page = new MarkdownPage(readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8'));
  return SECTIONS.flatMap(section =>
    page.table(section, 'Name', 'Type', 'Unit', 'Labels', 'Meaning').map(row => ({
      section,
      name: row.Name ?? '',
      type: row.Type ?? '',
      unit: row.Unit ?? '',
      meaning: row.Meaning ?? '',
      labels: readLabels(row.Labels ?? ''),
    })),
  );
}

/** `result`: `ok`, `failed`; `namespace`: … */
function readLabels(cell: string): Map<string, DocumentedValues> {
  const parts = cell.split(';').flatMap(part => part.trim() || []);
  return new Map(
    parts.map(part => {
      const [label = '', list = ''] = part.split(':');
      const values = [...list.matchAll(/[\w.]+/g)].map(([value]) => value);
      return [label.replaceAll('`', '').trim(), { values: new Set(values), open: list.includes('…') }];
    }),
  );
}
