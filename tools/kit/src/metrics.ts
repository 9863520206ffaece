/** Reads metrics of a process from its metrics page. */

/** An edge, a presence process, or any other process with an admin port. */
export interface Measured {
  readonly adminUrl: string;
}

/** Values by name and labels: `hubbub_edge_limits_total{limit="rooms"}`. */
export type Metrics = ReadonlyMap<string, number>;

const ANSWER_WITHIN_MS = 10_000;

export async function readMetrics(process: Measured): Promise<Metrics> {
  return parseMetrics(await pageOf(process));
}

/**
 * The value of one line.
 *
 * @param name with its labels: `hubbub_edge_limits_total{limit="rooms"}`
 * @throws {Error} if there is no such line: a misspelled name is not a zero
 */
export async function metricValue(process: Measured, name: string): Promise<number> {
  const value = (await readMetrics(process)).get(name);
  if (value === undefined) throw new Error(`The metrics have no ${name}.`);
  return value;
}

/**
 * The same for counters with labels that appear at the first count: 0 until then.
 *
 * @throws {Error} if there is no metric of that name with any labels
 */
export async function countOf(process: Measured, name: string): Promise<number> {
  const page = await pageOf(process);
  const [family = ''] = name.split('{');
  if (!page.includes(`\n# TYPE ${family} `)) throw new Error(`The metrics have no ${family}.`);
  return parseMetrics(page).get(name) ?? 0;
}

/** Sums a metric by one of its labels. */
export function sumByLabel(metrics: Metrics, name: string, label: string): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [key, value] of metrics) {
    if (!key.startsWith(`${name}{`)) continue;
    const of = new RegExp(`[{,]${label}="([^"]*)"`).exec(key)?.[1];
    if (of !== undefined) sums[of] = (sums[of] ?? 0) + value;
  }
  return sums;
}

/** Why `/readyz` is not green; undefined if it is. */
export async function whyNotReady({ adminUrl }: Measured): Promise<string | undefined> {
  try {
    const answer = await fetch(`${adminUrl}/readyz`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    const text = await answer.text();
    return answer.ok ? undefined : text.trim();
  } catch (error) {
    return `no answer: ${error instanceof Error ? error.message : error}`;
  }
}

async function pageOf({ adminUrl }: Measured): Promise<string> {
  return await (await fetch(`${adminUrl}/metrics`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) })).text();
}

function parseMetrics(page: string): Metrics {
  const lines = page.split('\n').filter(line => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map(line => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}
