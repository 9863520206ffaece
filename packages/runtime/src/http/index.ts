/** HTTP servers. An entry of its own (`@hubbub/runtime/http`): commands that serve no HTTP do not load the library. */
export {
  type AdminRoutes,
  type AdminServer,
  type AdminServerOptions,
  type Readiness,
  startAdminServer,
} from './admin-server.js';
export { describedRoutes, type Failure, parse, type Route, route } from './described-routes.js';
export { createHttpServer, type HttpServer, type HttpServerOptions, routeName, singleHeader } from './http-server.js';
