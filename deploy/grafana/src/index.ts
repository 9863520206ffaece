/** All dashboards, as files: `npm run dashboards` writes them, a test compares. */
import { admission } from './admission.js';
import type { Board } from './board.js';
import { edge } from './edge.js';
import { k6 } from './k6.js';
import { overview } from './overview.js';
import { presence } from './presence.js';
import { redis } from './redis.js';
import { services } from './services.js';
import { webhooks } from './webhooks.js';

export const BOARDS: readonly Board[] = [overview, edge, admission, presence, services, webhooks, redis, k6];

/** Name of the file → its text: one panel a line, so that a change of a panel is a change of one line. */
export function dashboardFiles(): Record<string, string> {
  return Object.fromEntries(BOARDS.map(({ name, dashboard }) => [`${name}.json`, dashboardText(dashboard)]));
}

function dashboardText({ panels = [], ...rest }: Board['dashboard']): string {
  const lines = Object.entries(rest).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  const panelLines = panels.map(panel => `    ${JSON.stringify(panel)}`);
  return `{\n${lines.join(',\n')},\n  "panels": [\n${panelLines.join(',\n')}\n  ]\n}\n`;
}
