/** `npm run k6 -- <scenario>`: installs and builds what is needed, then runs a load scenario. Arguments are passed on. */
import { endWithParent } from './prepare/parent.mjs';
import { runNode } from './prepare/terminal.mjs';
import { prepare } from './prepare.mjs';

endWithParent();
await prepare();
process.exitCode = await runNode('k6/run.mjs', process.argv.slice(2));
