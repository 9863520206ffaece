/** A logger that writes nothing. */
import type { Logger } from '@hubbub/runtime';

export const SILENT: Logger = { debug: undefined, info() {}, warn() {}, error() {} };
