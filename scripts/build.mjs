/** `npm run build`: compiles all packages and bundles the playground. */
import { endWithParent } from './prepare/parent.mjs';
import { say } from './prepare/terminal.mjs';
import { prepare } from './prepare.mjs';

endWithParent();
await prepare();
say('Everything is built.');
