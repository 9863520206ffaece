/** `npm start`: installs and builds what is needed, then serves everything in one process. Arguments are passed on. */
import { pathToFileURL } from 'node:url';
import { at } from './prepare/files.mjs';
import { endWithParent } from './prepare/parent.mjs';
import { prepare } from './prepare.mjs';

endWithParent();
await prepare();

// In this process and not in one of its own: signals, exit code and terminal are the server's without forwarding.
const main = at('apps/hubbub/dist/cli/main.js');
process.argv = [process.execPath, main, 'start', ...process.argv.slice(2)];
await import(pathToFileURL(main).href);
