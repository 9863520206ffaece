/** The Pusher protocol, as edges and the HTTP API translate it (docs/pusher.md). An entry of its own: browsers do not carry it. */
export * from './channel.js';
export * from './close-code.js';
export * from './event.js';
export * from './transcode.js';
