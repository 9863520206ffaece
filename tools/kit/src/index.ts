/** The kit of the tools and the tests. */
export * from './children.js';
export * from './cluster.js';
export * from './eventually.js';
export * from './hubbub.js';
export * from './installed-packages.js';
export * from './matching.js';
export * from './metrics.js';
export * from './process.js';
export * from './process-output.js';
export * from './raw-socket.js';
export * from './redis.js';
export * from './redis-cluster.js';
export * from './tokens.js';
export * from './websocket-frames.js';
export * from './worker.js';
