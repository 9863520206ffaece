/** `npm run example <name>`: installs and builds what is needed, then starts an example. Arguments are passed on. */
import { endWithParent } from './prepare/parent.mjs';
import { runNode } from './prepare/terminal.mjs';
import { prepare } from './prepare.mjs';

endWithParent();
await prepare();
process.exitCode = await runNode('examples/dist/start.js', process.argv.slice(2));
