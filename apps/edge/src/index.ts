/** The edge: holds the sockets, admits, limits, fans out. */
export { type EdgeOptions, type RunningEdge, startEdge } from './edge.js';
export { type Engine, loadEngine } from './engine.js';
export type { Page, PageHandler, PageRequest } from './http-answers.js';
