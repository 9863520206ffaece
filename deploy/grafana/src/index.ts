/** All dashboards, as files: `npm run dashboards` writes them, a test compares. */
import { admission } from './admission.js';
import type { Board } from './board.js';
import { edge } from './edge.js';
import { k6 } from './k6.js';
import { overview } from './overview.js';
import { presence } from './presence.js';
import { redis } from './redis.js';
import { services } from './services.js';

export const BOARDS: readonly Board[] = [overview, edge, admission, presence, services, redis, k6];

/** Name of the file → its text. */
export function dashboardFiles(): Record<string, string> {
  return Object.fromEntries(
    BOARDS.map(({ name, dashboard }) => [`${name}.json`, `${JSON.stringify(dashboard, null, 2)}\n`]),
  );
}
