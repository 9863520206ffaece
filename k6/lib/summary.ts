/** The end of a run: figures as JSON for who started it, or as text for people. */
import { summaryFile } from './settings.js';

interface MetricSummary {
  readonly values: Readonly<Record<string, number>>;
  readonly thresholds?: Readonly<Record<string, { readonly ok: boolean }>>;
}

interface SummaryData {
  readonly metrics: Readonly<Record<string, MetricSummary>>;
}

/** Exported by every scenario under this name, which k6 looks for. */
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
