/** The service of an example as a process of its own, on a hub that is there: `node dist/service/main.js <name>`. */
import { findExample } from '../catalogue.js';
import { serve } from './serve.js';
import { readSettings } from './settings.js';

const example = findExample(process.argv[2]);
const service = await serve(example, readSettings());
process.stdout.write(`${JSON.stringify({ event: 'listening', url: service.url })}\n`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void service.close().finally(() => process.exit()));
}
