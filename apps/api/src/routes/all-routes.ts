/** Every route of the API, but for its own description. */
import type { Route } from '../http/route.js';
import { controlRoutes } from './controls.js';
import { messageRoutes } from './messages.js';
import { readRoutes } from './reads.js';
import { tokenRoutes } from './tokens.js';

export const ROUTES: readonly Route[] = [...messageRoutes, ...controlRoutes, ...readRoutes, ...tokenRoutes];
