/** HTTP servers. An entry of its own (`@hubbub/runtime/http`): commands that serve no HTTP do not load the library. */
export {
  type AdminRoutes,
  type AdminServer,
  type AdminServerOptions,
  type Readiness,
  startAdminServer,
} from './admin-server.js';
export { type ApiKey, requireNamespace, unlimitedKey } from './api-key.js';
export type { AuditEntry } from './audit.js';
export {
  describedRoutes,
  eventStream,
  type Failure,
  parse,
  type Route,
  type RouteScope,
  route,
} from './described-routes.js';
export {
  createHttpServer,
  type HttpReply,
  type HttpRequest,
  type HttpServer,
  type HttpServerOptions,
  routeName,
  singleHeader,
} from './http-server.js';
