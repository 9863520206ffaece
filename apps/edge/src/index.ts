/** The edge: holds the sockets, admits, limits, fans out. */
export { fetchKeySet } from './admission/keys/fetch-key-set.js';
export { parseKeySet } from './admission/keys/key-set.js';
export { type EdgeOptions, type RunningEdge, startEdge } from './edge.js';
export { adviseEngine, ENGINE_NODES, type Engine, type EngineSystem, loadEngine } from './listener/engine.js';
export type { Page, PageHandler, PageRequest } from './listener/http-answers.js';
export { checkTlsFiles } from './listener/tls-files.js';
