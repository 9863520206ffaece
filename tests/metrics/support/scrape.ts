/** Reads the text that Prometheus scrapes: metrics with their types and labels. */
export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary' | 'untyped';

export interface ScrapedMetric {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  /** Label → its values; without `le`. */
  readonly labels: ReadonlyMap<string, ReadonlySet<string>>;
  readonly samples: number;
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** @throws {Error} on a malformed line. */
export function readScrape(text: string): Map<string, ScrapedMetric> {
  const metrics = new Map<
    string,
    { type: MetricType; help: string; labels: Map<string, Set<string>>; samples: number }
  >();
  const helps = new Map<string, string>();
  let current = '';
  for (const line of text.split('\n').filter(line => line !== '')) {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (kind === 'HELP') {
      helps.set(name, rest);
    } else if (kind === 'TYPE') {
      current = name;
      metrics.set(name, { type: typeOf(rest), help: helps.get(name) ?? '', labels: new Map(), samples: 0 });
    } else {
      const [, sample = '', labels = ''] = SAMPLE.exec(line) ?? [];
      const metric = metrics.get(current);
      if (metric === undefined || !sample.startsWith(current)) throw new Error(`no sample of ${current}: ${line}`);
      metric.samples++;
      for (const [, label = '', value = ''] of labels.matchAll(LABEL)) {
        if (label === 'le') continue;
        const values = metric.labels.get(label) ?? new Set();
        metric.labels.set(label, values.add(value));
      }
    }
  }
  return new Map([...metrics].map(([name, metric]) => [name, { name, ...metric }]));
}

function typeOf(text: string): MetricType {
  if (text === 'counter' || text === 'gauge' || text === 'histogram' || text === 'summary') return text;
  return 'untyped';
}

export async function scrape(adminUrl: string): Promise<{ text: string; metrics: Map<string, ScrapedMetric> }> {
  const answer = await fetch(`${adminUrl}/metrics`);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`/metrics answered ${answer.status}: ${text}`);
  return { text, metrics: readScrape(text) };
}
