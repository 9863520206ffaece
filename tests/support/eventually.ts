export { type EventuallyOptions, eventually, PATIENCE_MS } from '@hubbub/tools/kit';
