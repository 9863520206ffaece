/** Every route of the API, but for its own description. */
import { withIdsBeside } from '../http/ids-beside.js';
import type { Route } from '../http/route.js';
import { controlRoutes } from './controls.js';
import { messageRoutes } from './messages.js';
import { readRoutes } from './reads.js';
import { tokenRoutes } from './tokens.js';

/** Messages name their target in the body of `/messages`. */
const OTHERS = [...controlRoutes, ...readRoutes, ...tokenRoutes];

export const ROUTES: readonly Route[] = [
  ...messageRoutes,
  ...OTHERS.flatMap(route => (route.path.includes('{') ? withIdsBeside(route) : [route])),
];
