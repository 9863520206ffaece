/** Reads metrics of a process from its metrics page. */

/** An edge, a presence process, or any other process with an admin port. */
export interface Measured {
  readonly adminUrl: string;
}

/**
 * The value of one line.
 *
 * @param name with its labels: `hubbub_edge_limits_total{limit="rooms"}`
 * @throws {Error} if there is no such line: a misspelled name is not a zero
 */
export async function metricValue(process: Measured, name: string): Promise<number> {
  const value = valueIn(await pageOf(process), name);
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
  return valueIn(page, name) ?? 0;
}

async function pageOf({ adminUrl }: Measured): Promise<string> {
  return await (await fetch(`${adminUrl}/metrics`)).text();
}

function valueIn(page: string, name: string): number | undefined {
  const line = page.split('\n').find(candidate => candidate.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}
