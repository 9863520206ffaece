/** The Hubbub SDK for services: publish to rooms, to users, to all. */
export { HubbubError, type Payload, type Sender } from '@hubbub/protocol';
export { connectHubbub, type Hubbub, type HubbubOptions } from './hubbub.js';
export type { Publication } from './publication.js';
