/** `npm run build`: compiles all packages and bundles the playground. */
import { say } from './prepare/terminal.mjs';
import { prepare } from './prepare.mjs';

await prepare();
say('Everything is built.');
