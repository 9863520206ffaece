/** What clients, edges and services say to each other. No I/O here; see PROTOCOL.md at the root. */
export * from './channels.js';
export * from './close-codes.js';
export * from './codec.js';
export * from './control.js';
export * from './envelope.js';
export * from './errors.js';
export * from './frame.js';
export * from './json-codec.js';
export * from './lifecycle.js';
export * from './limits.js';
export * from './partition-hash.js';
export * from './payload.js';
export * from './report.js';
export * from './report-codec.js';
export * from './room-name.js';
export * from './splice.js';
export * from './subprotocol.js';
