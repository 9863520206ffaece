/** MessagePack for the SDK. An entry of its own (`@hubbub/client/msgpack`), so that JSON-only browsers do not carry it. */
export { msgpackCodec } from '@hubbub/protocol/msgpack';
