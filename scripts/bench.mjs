/** `npm run bench`: installs and builds what is needed, then runs the benchmarks. Arguments are passed on. */
import { runNode } from './prepare/terminal.mjs';
import { prepare } from './prepare.mjs';

await prepare();
process.exitCode = await runNode('bench/run.mjs', process.argv.slice(2));
