/** Installs and builds what is needed, then runs the script that the first argument names. The other arguments are passed on. */
import { endWithParent } from './prepare/parent.mjs';
import { runNode } from './prepare/terminal.mjs';
import { prepare } from './prepare.mjs';

const [script, ...args] = process.argv.slice(2);
endWithParent();
await prepare();
process.exitCode = await runNode(script, args);
