/** `npm run build`: compiles all packages and bundles pages and the command line. */
import { readOptions } from './prepare/arguments.mjs';
import { endWithParent } from './prepare/parent.mjs';
import { say } from './prepare/terminal.mjs';
import { prepare } from './prepare.mjs';

readOptions('npm run build');
endWithParent();
await prepare();
say('Everything is built.');
