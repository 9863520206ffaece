/** Writes the figures of a finished run: as JSON for the runner, or as readable text. */
import { summaryFile } from './settings.js';

interface MetricSummary {
  readonly values: Readonly<Record<string, number>>;
  readonly thresholds?: Readonly<Record<string, { readonly ok: boolean }>>;
}

interface SummaryData {
  readonly metrics: Readonly<Record<string, MetricSummary>>;
}

/** k6 calls this export of every scenario. */
export function handleSummary(data: SummaryData): Record<string, string> {
  if (summaryFile !== undefined) return { [summaryFile]: JSON.stringify(data) };
  return { stdout: `${describe(data)}\n` };
}

function describe({ metrics }: SummaryData): string {
  const lines = Object.entries(metrics)
    .filter(([name]) => name.startsWith('hubbub_'))
    .map(
      ([name, { values }]) =>
        `${name}  ${Object.entries(values)
          .map(([key, value]) => `${key}=${round(value)}`)
          .join(' ')}`,
    );
  const failed = Object.entries(metrics).flatMap(([name, { thresholds = {} }]) =>
    Object.entries(thresholds)
      .filter(([, { ok }]) => !ok)
      .map(([threshold]) => `${name}: ${threshold}`),
  );
  return [...lines.sort(), failed.length === 0 ? 'All thresholds held.' : `FAILED: ${failed.join('; ')}`].join('\n');
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
