/** `npm run fuzz`: installs and builds what is needed, then fuzzes. Arguments are passed on. */
import { endWithParent } from './prepare/parent.mjs';
import { runNode } from './prepare/terminal.mjs';
import { prepare } from './prepare.mjs';

endWithParent();
await prepare();
process.exitCode = await runNode('fuzz/run.mjs', process.argv.slice(2));
