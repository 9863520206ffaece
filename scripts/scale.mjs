/** `npm run scale`: installs and builds what is needed, then opens many connections to a whole cluster. Arguments are passed on. */
import { endWithParent } from './prepare/parent.mjs';
import { runNode } from './prepare/terminal.mjs';
import { prepare } from './prepare.mjs';

endWithParent();
await prepare();
process.exitCode = await runNode('bench/scale/run.mjs', process.argv.slice(2));
