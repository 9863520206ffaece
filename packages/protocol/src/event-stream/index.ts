/** Server-sent events, as edges write them (PROTOCOL.md section 10). An entry of its own: browsers do not carry it. */
export * from './event.js';
